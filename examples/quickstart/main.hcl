# A real model in two zones on this machine, sized by its traffic.
#
#   isobar -chdir=examples/quickstart apply
#
# The model, its training script and where its data comes from: model/README.md.

variable "telemetry" {
  type        = string
  default     = "telemetry.csv"
  description = "Requests by time: a CSV file with the columns timestamp,value."
}

variable "per" {
  type        = string
  default     = null
  description = "Set it where the values count requests per hour (1h) or per five minutes (5m) instead of giving requests per second."
}

variable "model_version" {
  type    = string
  default = "1"
}

zone "east" {
  provider = local
  port     = 8101
}

zone "west" {
  provider = local
  port     = 8102
}

model "digits" {
  version  = var.model_version
  artifact = var.model_version == "1" ? "model/digits.onnx" : "model/digits-${var.model_version}.onnx"

  serve {
    protocol    = "oip-v2"
    health_path = "/v2/health/ready"
  }

  # The time budget of one request. The model itself answers in about a millisecond; the rest
  # stands for what a real service does around it, so that the example has more than one replica.
  performance {
    service_time = "20ms"
    concurrency  = 1
    startup      = "5s"
  }
}

forecast "digits" {
  source "csv" {
    path = var.telemetry
    per  = var.per
  }
  horizon = "24h"
}

capacity "standard" {
  slo {
    latency    = "100ms"
    violations = 0.01
  }
  survive      = "zone" # with either zone gone, the other still meets the demand
  min_replicas = 1
}

deployment "digits" {
  model    = model.digits
  zones    = [zone.east, zone.west]
  demand   = forecast.digits
  capacity = capacity.standard
}

output "replicas" {
  value = deployment.digits.replicas
}

output "urls" {
  value = deployment.digits.urls
}
