variable "token" {
  type      = string
  default   = "t0ken"
  ephemeral = true
}

resource "isobar_data" "keeper" {
  input = { key = "a-${var.token}" }
}

resource "isobar_data" "many" {
  for_each = toset([var.token])
  input    = each.key
}

output "shown" {
  value = [var.token]
}
