zone "east" {
  provider = local
  port     = 18101
}

zone "west" {
  provider = local
}

model "m" {
  version = "1"
  command = ["./server", "{port}"]

  performance {
    service_time = "20ms"
  }
}

deployment "d" {
  model  = model.n
  zones  = [zone.east, zone.north]
  demand = 10
}
