"""What is done to a handset: recipes, their stages, and the runner of a job."""
