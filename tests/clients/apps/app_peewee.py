"""peewee: models, migrations, introspection."""
import sys, datetime
from peewee import *
from playhouse.postgres_ext import BinaryJSONField
from playhouse.migrate import PostgresqlMigrator, migrate
from playhouse.reflection import Introspector
db = PostgresqlDatabase('quorate', host='127.0.0.1', port=int(sys.argv[1]), user='quorate')
class B(Model):
    class Meta: database=db
class Person(B):
    name=CharField(unique=True); born=DateField(null=True); data=BinaryJSONField(default=dict)
class Pet(B):
    owner=ForeignKeyField(Person, backref='pets', on_delete='CASCADE'); name=CharField()
db.connect(); db.drop_tables([Pet,Person]); db.create_tables([Person,Pet])
with db.atomic():
    p=Person.create(name='A', born=datetime.date(2000,1,1), data={'k':1}); Pet.insert_many([{'owner':p,'name':n} for n in 'xyz']).execute()
try:
    with db.atomic(): Person.create(name='A')
except IntegrityError: pass
assert [ (r.name,r.n) for r in Person.select(Person.name, fn.COUNT(Pet.id).alias('n')).join(Pet).group_by(Person.id)]==[('A',3)]
Person.insert(name='A').on_conflict(conflict_target=[Person.name], update={Person.born: None}).execute()
m=PostgresqlMigrator(db); migrate(m.add_column('person','age',IntegerField(default=3)), m.rename_column('person','age','years'), m.add_index('person',('years',)), m.drop_not_null('pet','name'))
models=Introspector.from_database(db).generate_models(); assert 'person' in models
db.drop_tables([Pet,Person]); print('ok')
