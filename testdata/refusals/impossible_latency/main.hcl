capacity "c" {
  slo {
    latency = "10ms"
  }
}

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
  model    = model.m
  zones    = [zone.east, zone.west]
  demand   = 10
  capacity = capacity.c
}
