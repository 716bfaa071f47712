zone "east" {
  provider = sim
  region   = "sim-us-east"
}

zone "west" {
  provider = sim
  region   = "sim-us-west"
}

model "m" {
  version = "1"
  image   = "registry/m"
}

deployment "llm" {
  for_each = toset(["chat", "code"])
  model    = model.m
  zones    = [zone.east, zone.west]
  replicas = { east = 1, west = each.key == "chat" ? 2 : 0 }
}

moved {
  from = deployment.api
  to   = deployment.llm["chat"]
}

output "replicas" {
  value = deployment.llm["chat"].replicas
}
