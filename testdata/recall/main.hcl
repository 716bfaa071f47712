variable "needed" {
  type = string
}

variable "secret" {
  type      = string
  sensitive = true
}

variable "given" {
  default = 1
}

resource "isobar_data" "one" {
  input = "hello"
}

resource "isobar_data" "counted" {
  count = 2
  input = count.index
}

resource "isobar_data" "each" {
  for_each = toset(["x", "y"])
  input    = each.key
}

module "one" {
  source = "./m"
  given  = isobar_data.one.output
}

module "each" {
  for_each = toset(["p", "q"])
  source   = "./m"
  given    = each.key
}

locals {
  on_resource = "${isobar_data.one.output}!"
  on_module   = upper(module.one.output)
  on_needed   = "${var.needed}!"
}
