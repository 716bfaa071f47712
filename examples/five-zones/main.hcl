# Five zones on three clouds, at the prices and with the carbon of the catalogue, without an
# account: each zone is one of the simulated cloud that sells what the region of a real one sells.
# README.md walks through a lost zone and a price of carbon.
#
#   isobar -chdir=examples/five-zones plan

variable "carbon_price" {
  type        = number
  default     = 0
  description = "US dollars for a ton of CO2 equivalent, weighed beside the price of machines."
}

variable "down" {
  type        = set(string)
  default     = []
  description = "Names of zones to plan without, as if they were lost."
}

locals {
  regions = {
    virginia  = "aws/us-east-1"
    frankfurt = "aws/eu-central-1"
    amsterdam = "azure/westeurope"
    paris     = "azure/francecentral"
    belgium   = "gcp/europe-west1"
  }
}

zone "on" {
  for_each = local.regions
  provider = sim
  region   = each.value
  down     = contains(var.down, each.key)
}

model "reranker" {
  version = "7"
  image   = "registry.example/reranker@sha256:0f1e2d"

  resources {
    cpu    = 8
    memory = "16GiB"
  }
  performance {
    service_time = "200ms"
    concurrency  = 2
    startup      = "180s"
  }
}

forecast "reranker" {
  source "csv" {
    path = "../quickstart/telemetry.csv"
  }
  horizon = "24h"
}

capacity "standard" {
  slo {
    latency    = "800ms"
    violations = 0.01
  }
  survive        = "zone"
  min_replicas   = 0
  max_zone_share = 0.5

  objective {
    carbon_price = var.carbon_price
  }
}

deployment "reranker" {
  model    = model.reranker
  zones    = values(zone.on)
  demand   = forecast.reranker
  capacity = capacity.standard
}

output "replicas" {
  value = deployment.reranker.replicas
}
