zone "here" {
  provider = sim
  region   = "sim-us-east"
}

model "m" {
  version = "1"
  image   = "registry/m"
}

deployment "a" {
  model    = model.m
  zones    = [zone.here]
  replicas = { here = 1 }

  lifecycle {
    create_before_destroy = false
  }
}

deployment "b" {
  model    = model.m
  zones    = [zone.here]
  replicas = { here = 1 }

  lifecycle {
    ignore_changes = [replicas]
  }
}
