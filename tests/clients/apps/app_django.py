"""Django 5.2: migrate the contributed apps, models, queries, admin."""
import sys, os, tempfile
port = sys.argv[1]
import django
from django.conf import settings
settings.configure(DEBUG=True, SECRET_KEY='x', ROOT_URLCONF=__name__, ALLOWED_HOSTS=['*'], USE_TZ=True, DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
  DATABASES={'default': {'ENGINE':'django.db.backends.postgresql','NAME':'quorate','USER':'quorate','HOST':'127.0.0.1','PORT':port}},
  INSTALLED_APPS=['django.contrib.admin','django.contrib.auth','django.contrib.contenttypes','django.contrib.sessions','django.contrib.messages'],
  MIDDLEWARE=['django.contrib.sessions.middleware.SessionMiddleware','django.contrib.auth.middleware.AuthenticationMiddleware','django.contrib.messages.middleware.MessageMiddleware'],
  TEMPLATES=[{'BACKEND':'django.template.backends.django.DjangoTemplates','APP_DIRS':True,'OPTIONS':{'context_processors':['django.template.context_processors.request','django.contrib.auth.context_processors.auth','django.contrib.messages.context_processors.messages']}}])
django.setup()
from django.core.management import call_command
from django.urls import path
from django.contrib import admin
urlpatterns=[path('admin/', admin.site.urls)]
call_command('migrate', verbosity=0)
call_command('inspectdb', stdout=open(os.devnull,'w'))
from django.contrib.auth.models import User, Group, Permission
from django.db import transaction, IntegrityError, connection, models
from django.db.models import *
from django.db.models.functions import *
User.objects.all().delete(); Group.objects.all().delete()
a = User.objects.create_superuser('adm','a@b.c','pw'); g = Group.objects.create(name='g'); a.groups.add(g)
User.objects.bulk_create([User(username=f'u{i}', email=f'u{i}@x.y', is_active=i%2==0) for i in range(50)])
try:
    with transaction.atomic(): User.objects.create(username='u1')
    assert False
except IntegrityError as e: assert 'auth_user_username_key' in str(e)
with transaction.atomic():
    u,c = User.objects.get_or_create(username='u1'); assert not c
    u,c = User.objects.update_or_create(username='new', defaults={'email':'q'}); assert c
    User.objects.select_for_update().get(username='u2')
assert User.objects.filter(username__icontains='U1').count()==11
assert User.objects.filter(username__iregex='^U4[0-9]$').count()==10
assert User.objects.values('is_active').annotate(n=Count('id')).order_by('is_active')[0]['n']==25
assert User.objects.annotate(l=Length('username'), up=Upper('username')).filter(up__startswith='U4', l=3).count()==10
assert Permission.objects.filter(content_type__app_label='auth').count()==12
assert User.objects.filter(Q(groups__name='g')|Q(username='u3')).distinct().count()==2
assert User.objects.annotate(r=Window(RowNumber(), order_by=F('id').asc())).last().r is not None
assert User.objects.filter(Exists(Group.objects.filter(user=OuterRef('pk')))).get()==a
assert User.objects.aggregate(m=Max('id')-Min('id'))['m']>0
list(User.objects.dates('date_joined','month')); list(User.objects.datetimes('date_joined','hour')); User.objects.filter(date_joined__date__year=2026).count()
list(User.objects.annotate(d=TruncMonth('date_joined')).values('d').annotate(c=Count('*')))
list(User.objects.iterator(chunk_size=10))
User.objects.filter(username='u5').update(email=Concat(F('username'), Value('@z')))
assert User.objects.bulk_create([User(username='u1', email='up')], update_conflicts=True, unique_fields=['username'], update_fields=['email'])
qs = User.objects.filter(username='u1').union(User.objects.filter(username='u2')).order_by('username'); assert [x.username for x in qs]==['u1','u2']
print(User.objects.filter(id=1).explain()[:0], end='')
from django.test import Client
c = Client(); assert c.login(username='adm', password='pw')
for p in ['/admin/','/admin/auth/user/','/admin/auth/user/?q=u1&is_active__exact=1&o=1.-2', f'/admin/auth/user/{a.pk}/change/','/admin/auth/group/add/']:
    r = c.get(p); assert r.status_code==200, (p, r.status_code)
r = c.post('/admin/auth/group/add/', {'name':'made'}); assert r.status_code==302 and Group.objects.filter(name='made').exists()
# schema editor
class Thing(models.Model):
    name = models.CharField(max_length=20); n = models.IntegerField(default=1, db_index=True); j = models.JSONField(default=dict); when = models.DateField(null=True); price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    parent = models.ForeignKey('self', null=True, on_delete=models.CASCADE)
    class Meta: app_label='auth'; db_table='dj_thing'; constraints=[models.UniqueConstraint(Lower('name'), name='dj_lower'), models.CheckConstraint(condition=Q(n__gte=0), name='dj_n')]
with connection.cursor() as cur: cur.execute('drop table if exists dj_thing cascade')
with connection.schema_editor() as ed: ed.create_model(Thing)
Thing.objects.create(name='Abc', j={'a':{'b':[1,2]}}); Thing.objects.create(name='x', j={'a':1}, parent=Thing.objects.get(name='Abc'))
assert Thing.objects.filter(j__a__b__1=2).count()==1 and Thing.objects.filter(j__has_key='a').count()==2 and Thing.objects.filter(j__contains={'a':1}).count()==1
assert Thing.objects.filter(parent__name='Abc').count()==1
try:
    with transaction.atomic(): Thing.objects.create(name='ABC')
    assert False
except IntegrityError as e: assert 'dj_lower' in str(e), e
with connection.schema_editor() as ed:
    f = models.TextField(default='z'); f.set_attributes_from_name('extra'); ed.add_field(Thing, f)
    o = Thing._meta.get_field('n'); nf = models.BigIntegerField(default=2, null=True); nf.set_attributes_from_name('n'); ed.alter_field(Thing, o, nf)
with connection.schema_editor() as ed: ed.delete_model(Thing)
print('ok')
