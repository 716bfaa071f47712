variable "given" {}

resource "isobar_data" "made" {
  input = var.given
}

output "input" {
  value = isobar_data.made.input
}

output "output" {
  value = isobar_data.made.output
}

output "plain" {
  value = "plain ${var.given}"
}
