zone "here" {
  provider = local
}

model "digits" {
  version  = "1"
  artifact = "digits.onnx"
}

deployment "llm" {
  for_each = { one = 1, two = 2 }
  model    = model.digits
  zones    = [zone.here]
  replicas = { here = each.value }
}

output "replicas" {
  value = { for key, one in deployment.llm : key => one.replicas["here"] }
}
