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
  zones    = [zone.east]
  replicas = { east = 1 }
}
