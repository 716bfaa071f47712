variable "token" {}

variable "open" {
  ephemeral = true
}

output "given" {
  value     = var.open
  ephemeral = true
}

output "kept" {
  value = { open = var.open }
}

output "plain" {
  value     = var.token
  ephemeral = true
}
