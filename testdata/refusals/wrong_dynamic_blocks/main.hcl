model "m" {
  version = "1"
  image   = "i"

  dynamic "serve" {
    content {}
  }

  dynamic "resources" {
    for_each = 3
    content {}
  }

  dynamic "performance" {
    for_each = [1]
    iterator = "each"
    content {}
  }

  dynamic "outfit" {
    for_each = [1]
    content {}
  }
}
