variable "models" {
  type    = map(string)
  default = { chat = "2", code = "7", tiny = "1" }
}

zone "z" {
  for_each = toset(["east", "west"])
  provider = sim
  region   = "sim-us-${each.key}"
}

model "m" {
  for_each = var.models
  version  = each.value
  image    = "registry/${each.key}"

  performance {
    service_time = "100ms"
    concurrency  = 2
  }
}

capacity "c" {
  utilization = 0.5
}

deployment "llm" {
  for_each = model.m
  model    = each.value
  zones    = values(zone.z)
  demand   = each.key == "chat" ? 30 : 4
  capacity = capacity.c

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = each.value.version != "9"
      error_message = "${each.key} must not be of version 9."
    }
    postcondition {
      condition     = self.name == "llm-${each.key}"
      error_message = "It is called ${self.name}."
    }
  }
}

resource "isobar_data" "caller" {
  input = deployment.llm["chat"].url
}

output "chat" {
  value = deployment.llm["chat"].replicas
}

output "urls" {
  value = { for key, one in deployment.llm : key => one.urls["z-east"] }
}
