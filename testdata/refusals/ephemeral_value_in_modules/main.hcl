variable "token" {
  default   = "t0ken"
  ephemeral = true

  validation {
    condition     = length(var.token) > 9
    error_message = "${var.token} is too short"
  }
}

module "closed" {
  source = "./inner"
  token  = [var.token]
  open   = "x"
}

module "open" {
  source = "./inner"
  token  = "x"
  open   = "a-${var.token}"
}

output "ours" {
  value     = module.open.given
  ephemeral = true
}
