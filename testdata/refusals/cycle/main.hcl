locals {
  a = "${local.b}!"
  b = isobar_data.x.id
}

resource "isobar_data" "x" {
  input = local.a
}
