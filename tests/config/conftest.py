from tests.config.config_folder import folder

__all__ = ["folder"]
