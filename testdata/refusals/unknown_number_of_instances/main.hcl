resource "isobar_data" "names" {
  input = "a"
}

resource "isobar_data" "zones" {
  for_each = toset(["x", "y"])
  input    = each.key
}

locals {
  made = [for zone in isobar_data.zones : zone.id]
  all  = concat(local.made, ["z"])
}

resource "isobar_data" "direct" {
  count = length(isobar_data.names.output)
}

resource "isobar_data" "through" {
  for_each = toset(local.all)
}

data "isobar_remote_state" "other" {
  backend = "local"
  config  = { path = isobar_data.names.id }
}

resource "isobar_data" "read" {
  for_each = data.isobar_remote_state.other.outputs
}
