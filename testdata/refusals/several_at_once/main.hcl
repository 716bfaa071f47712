variable "v" {
  type = strin
}

locals {
  x = 1 +
}

zon "a" {}

output "o" {}
