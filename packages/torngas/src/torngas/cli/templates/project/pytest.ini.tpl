[pytest]
pythonpath = .
torngas_settings = settings.settings
