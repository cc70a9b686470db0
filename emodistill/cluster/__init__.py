"""Where tasks run: profiles, submission through submitit, and the driver that walks the stages."""
