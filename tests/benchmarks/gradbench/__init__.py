"""GradBench, the field's benchmark across languages: a tool that speaks its protocol."""
