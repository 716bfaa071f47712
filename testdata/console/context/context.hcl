# What the expressions of the cases can refer to. For Terraform, this file is main.tf and
# isobar_data is terraform_data.

variable "secret" {
  type      = string
  default   = "hunter2"
  sensitive = true
}

variable "names" {
  type    = list(string)
  default = ["ann", "bob"]
}

variable "nothing" {
  type    = list(string)
  default = []
}

locals {
  ages            = { ann = 41, bob = 27 }
  template        = "Hello, $${name}!"
  number_template = "$${n}"
  templates       = { one = "<$${name}>" }
}

# Never applied: its attributes are unknown.
resource "isobar_data" "later" {
  input = "x"
}
