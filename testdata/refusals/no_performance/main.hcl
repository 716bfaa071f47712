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
}

deployment "d" {
  model  = model.m
  zones  = [zone.east, zone.west]
  demand = 10
}
