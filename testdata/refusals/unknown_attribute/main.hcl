zone "east" {
  provider = local
  prot     = 18101
}

zone "west" {
  provider = local
}

model "m" {
  version  = "1"
  artefact = "model.onnx"
  command  = ["./server", "{port}"]

  performance {
    service_time = "20ms"
  }
}

deployment "d" {
  model  = model.m
  zones  = [zone.east, zone.west]
  demand = 10
}
