resource "terraform_data" "a" {
  input = terraform.workspace
}

resource "isobar_data" "b" {
  provisioner "local-exec" {
    command = "true"
  }
}

data "terraform_remote_state" "c" {
  backend = "local"
}
