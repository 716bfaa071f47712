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

deployment "api" {
  model    = model.m
  zones    = [zone.east, zone.west]
  replicas = { east = 1, west = 2 }
}

output "replicas" {
  value = deployment.api.replicas
}
