# A classifier on SageMaker in two regions. Credentials come from the environment or a profile, as
# for every tool of AWS; the regions come from the zones.
#
#   cargo build --release --features aws
#   isobar -chdir=examples/aws plan
#
# docs/aws.md tells how to try it out without an account.

variable "role" {
  description = "The role that reads images and files of models."
  default     = "arn:aws:iam::123456789012:role/models"
}

variable "registry" {
  description = "The account whose registry has the image, in every region of the zones."
  default     = "123456789012"
}

provider "aws" {
  region = "eu-west-1"
}

locals {
  regions = ["eu-west-1", "eu-central-1"]
}

zone "cloud" {
  for_each = toset(local.regions)

  provider           = aws
  region             = each.value
  execution_role_arn = var.role
  instance_type      = "ml.m5.xlarge"
}

model "digits" {
  for_each = toset(local.regions)

  version  = "7"
  image    = "${var.registry}.dkr.ecr.${each.value}.amazonaws.com/digits:7"
  artifact = "s3://digits-${each.value}/7.tar.gz"

  serve {
    health_path = "/ping"
    protocol    = "raw"
  }
  performance {
    service_time = "40ms"
    concurrency  = 4
    startup      = "90s"
  }
}

capacity "standard" {
  slo {
    latency    = "200ms"
    violations = 0.01
  }
  min_replicas = 1
}

deployment "digits" {
  for_each = toset(local.regions)

  model    = model.digits[each.value]
  zones    = [zone.cloud[each.value]]
  demand   = 150
  capacity = capacity.standard
}

output "urls" {
  value = { for region in local.regions : region => deployment.digits[region].urls }
}
