# isobar -chdir=examples/quickstart test
#
# Nothing is started: the provider is mocked, so that only what would be there is looked at.

mock_provider "local" {}

run "as_it_is" {
  assert {
    condition     = alltrue([for zone in ["east", "west"] : output.replicas[zone] == 3])
    error_message = "The replicas are ${jsonencode(output.replicas)}."
  }
}

run "new_version_keeps_the_capacity" {
  command = plan

  variables {
    model_version = "2"
  }

  assert {
    condition     = output.replicas == run.as_it_is.replicas
    error_message = "The replicas are ${jsonencode(output.replicas)}."
  }
}
