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
  for_each = toset(["talk", "chat", "code"])
  model    = model.m
  zones    = [zone.east, zone.west]
  replicas = { east = 1, west = each.key == "talk" ? 2 : 0 }
}

moved {
  from = deployment.llm["chat"]
  to   = deployment.llm["talk"]
}

output "replicas" {
  value = { for key, one in deployment.llm : key => one.replicas }
}
