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

variable "token" {
  type      = string
  default   = "t0ken"
  ephemeral = true
}

variable "people" {
  type = list(object({
    name  = string
    age   = optional(number, 18)
    tags  = optional(map(string), {})
    nest  = optional(object({ a = optional(string, "x"), b = optional(bool) }), {})
    maybe = optional(list(string))
  }))
  default = [
    { name = "ann" },
    { name = 7, age = "9", tags = { n = 1 }, nest = { b = "true" }, extra = "dropped" },
    { name = "c", age = null, nest = null },
  ]
}

variable "mixed" {
  type    = map(any)
  default = { a = 1, b = "x" }
}

variable "anything" {
  type    = any
  default = [1, "a", { b = [true] }]
}

variable "anylist" {
  type    = list(any)
  default = [{ a = 1 }, { a = "x" }]
}

variable "pair" {
  type    = tuple([string, number])
  default = [1, "2"]
}

variable "unique" {
  type    = set(number)
  default = ["3", 1, 3]
}

variable "nested" {
  type    = map(object({ items = set(string), deep = optional(object({ n = number })) }))
  default = { a = { items = ["y", "x", "y"] } }
}

variable "missing" {
  type    = object({ a = string, b = optional(number) })
  default = null
}

variable "shape" {
  type    = object({ a = any, b = any })
  default = { a = [1], b = { c = 2 } }
}
