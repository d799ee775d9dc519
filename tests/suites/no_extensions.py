"""A plugin of pytest's for SQLAlchemy's suite: its first steps make the extensions citext and hstore, which its dialect suite does not use."""
from sqlalchemy.dialects.postgresql import provision

provision._extensions.clear()
