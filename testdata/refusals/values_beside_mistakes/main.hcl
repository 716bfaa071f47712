variable "least" {
  default = 5
}

variable "most" {
  default = 3

  validation {
    condition     = var.most >= var.least
    error_message = "most (${var.most}) is below var.least"
  }
}

variable "token" {
  default   = "hunter2"
  sensitive = true
}

variable "clouds" {
  default = { eu = "x", us = "y" }
}

provider "sim" {
  for_each = var.clouds
  alias    = "all"
  file     = "${each.key}.json"
}

locals {
  sizes = { small = 1, large = [for n in range(100) : n] }
  size  = local.sizes[var.clouds["eu"]]
  names = [for key, name in var.clouds : name + length(key)]
  pair  = merge([var.token, var.most])
}

resource "sim_secret" "key" {
  provider = sim.all["ap"]
  name     = "key"
  value    = "v"
}

resource "isobar_data" "some" {
  count = 2
}

resource "isobar_data" "each" {
  for_each = var.clouds
}

output "one" {
  value = isobar_data.some.id
}

output "other" {
  value = isobar_data.each.id
}

model "quick" {
  version = 1
  image   = "quick:1"

  dynamic "performance" {
    for_each = { fast = 0.05 }

    content {
      service_time = performance.value
      concurrency  = 1
    }
  }
}
