"""The build of a Geo-CoT dataset from a composition: rows of datasets in, verified and leak-free samples out."""
