variable "token" {
  default   = "hunter2"
  sensitive = true
}

output "o" {
  value = "Bearer ${var.token}"
}
