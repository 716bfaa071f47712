zone "east" {
  provider = local
  port     = 18101
}

model "m" {
  version = "1"
  command = ["./server", "{port}"]

  performance {
    service_time = "20ms"
  }
}

forecast "memory" {
  source "csv" {
    path = "memory.csv"
    per  = "1h"
  }
}

capacity "c" {
  resource "memory" {
    forecast    = forecast.memory
    per_replica = "8GiB"
    unit        = "GiB"
  }
}

deployment "d" {
  model    = model.m
  zones    = [zone.east]
  demand   = 10
  capacity = capacity.c
}
