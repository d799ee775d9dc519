"""Settings for Django's own tests."""
import os

DATABASES = {
    alias: {"ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": os.environ["PGUSER"], "PASSWORD": os.environ["PGPASSWORD"],
            "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"]}
    for alias, name in (("default", "django_one"), ("other", "django_two"))
}
SECRET_KEY = "of the tests"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
