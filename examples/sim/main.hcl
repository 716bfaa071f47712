# Three regions of the simulated cloud, at different prices: what a plan over several zones looks
# like, without an account. The cloud is the file cloud.json, made by the first apply.
#
#   isobar -chdir=examples/sim plan

locals {
  regions = {
    virginia  = "sim-us-east"
    oregon    = "sim-us-west"
    frankfurt = "sim-eu-central"
  }
}

zone "sim" {
  for_each = local.regions
  provider = sim
  region   = each.value
}

model "reranker" {
  version = "7"
  image   = "registry.example/reranker@sha256:0f1e2d"

  resources {
    cpu    = 4
    memory = "16GiB"
    gpu    = { type = "a10g", count = 1 }
  }
  performance {
    service_time = "80ms"
    concurrency  = 4
    startup      = "180s"
  }
}

capacity "standard" {
  slo {
    latency    = "300ms"
    violations = 0.01
  }
  survive        = "zone"
  min_replicas   = 1
  max_zone_share = 0.6
}

deployment "reranker" {
  model    = model.reranker
  zones    = values(zone.sim)
  demand   = 412
  capacity = capacity.standard
}

output "replicas" {
  value = deployment.reranker.replicas
}
