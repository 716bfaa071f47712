resource "isobar_data" "x" {}
