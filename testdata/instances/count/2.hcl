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
  count    = 2
  model    = model.m
  zones    = [zone.east]
  replicas = { east = 1 + count.index }
}

output "names" {
  value = deployment.api[*].name
}

resource "isobar_data" "behind" {
  input      = length(deployment.api)
  depends_on = [deployment.api]
}
