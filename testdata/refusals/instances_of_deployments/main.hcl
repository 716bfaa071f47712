resource "isobar_data" "names" {
  input = "a"
}

zone "here" {
  provider = sim
  region   = "sim-us-east"
}

model "m" {
  version = "1"
  image   = "registry/m"
}

deployment "unknown" {
  for_each = toset([isobar_data.names.id])
  model    = model.m
  zones    = [zone.here]
  replicas = { here = 1 }
}

deployment "llm" {
  for_each = toset(["chat"])
  model    = model.m
  zones    = [zone.here]
  replicas = { here = 1 }
}

deployment "llm-chat" {
  model    = model.m
  zones    = [zone.here]
  replicas = { here = 1 }
}

deployment "replicas" {
  count    = 2
  model    = model.m
  zones    = [zone.here]
  replicas = { there = count.index }
}
