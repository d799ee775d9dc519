"""SQLAlchemy 2 ORM and Alembic: models with relations, savepoints, reflection, a migration up and down."""
import sys, os, tempfile, textwrap, enum, datetime, decimal, uuid
from sqlalchemy import *
from sqlalchemy.orm import *
from sqlalchemy.dialects.postgresql import JSONB, ARRAY, UUID as PGUUID, insert as pginsert
from sqlalchemy.exc import IntegrityError
port, driver = sys.argv[1], sys.argv[2]
url = f"postgresql+{driver}://quorate@127.0.0.1:{port}/quorate"
engine = create_engine(url)
class Base(DeclarativeBase): pass
class Mood(enum.Enum): happy='happy'; sad='sad'
tags = Table('sa_post_tag', Base.metadata, Column('post_id', ForeignKey('sa_post.id', ondelete='CASCADE'), primary_key=True), Column('tag_id', ForeignKey('sa_tag.id'), primary_key=True))
class User(Base):
    __tablename__='sa_user'
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    mood: Mapped[Mood] = mapped_column(Enum(Mood, name='sa_mood'))
    created: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    balance: Mapped[decimal.Decimal] = mapped_column(Numeric(10,2), default=0)
    data: Mapped[dict] = mapped_column(JSONB, default=dict)
    labels: Mapped[list] = mapped_column(ARRAY(String), default=list)
    key: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    posts: Mapped[list['Post']] = relationship(back_populates='user', cascade='all, delete-orphan')
    __table_args__ = (CheckConstraint('balance >= 0', name='sa_balance'), Index('sa_user_lower', text('lower(name)')))
class Post(Base):
    __tablename__='sa_post'
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int] = mapped_column(ForeignKey('sa_user.id', ondelete='CASCADE'))
    user: Mapped[User] = relationship(back_populates='posts')
    tags: Mapped[list['Tag']] = relationship(secondary=tags, back_populates='posts')
class Tag(Base):
    __tablename__='sa_tag'
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list[Post]] = relationship(secondary=tags, back_populates='tags')
Base.metadata.drop_all(engine); Base.metadata.create_all(engine); Base.metadata.create_all(engine)
with Session(engine) as s:
    t1, t2 = Tag(name='a'), Tag(name='b')
    s.add_all([User(name='Ann', mood=Mood.happy, data={'x':[1,2]}, labels=['p','q'], posts=[Post(title='one', tags=[t1,t2]), Post(title='two', tags=[t1])]), User(name='Bob', mood=Mood.sad, balance=decimal.Decimal('12.34'))])
    s.commit()
    u = s.scalars(select(User).where(User.name=='Ann').options(selectinload(User.posts).selectinload(Post.tags))).one()
    assert [len(p.tags) for p in u.posts]==[2,1] and u.data=={'x':[1,2]} and u.labels==['p','q'] and u.mood is Mood.happy, (u.data,u.labels)
    rows = s.execute(select(User.name, func.count(Post.id)).outerjoin(Post).group_by(User.id).order_by(User.name)).all()
    assert [tuple(r) for r in rows]==[('Ann',2),('Bob',0)], rows
    assert s.scalar(select(User.name).where(User.data['x'][0].as_integer()==1))=='Ann'
    assert s.scalar(select(User.name).where(User.labels.any('q')))=='Ann'
    assert s.scalar(select(User.name).where(User.labels.contains(['p'])))=='Ann'
    try:
        with s.begin_nested(): s.add(User(name='Ann', mood=Mood.sad)); s.flush()
        assert False
    except IntegrityError as e: assert 'sa_user_name_key' in str(e), e
    s.add(User(name='Cid', mood=Mood.sad)); s.commit()
    s.execute(pginsert(User).values(name='Cid', mood=Mood.happy).on_conflict_do_update(index_elements=['name'], set_={'mood': Mood.happy})); s.commit()
    assert s.scalar(select(User.mood).where(User.name=='Cid')) is Mood.happy
    s.execute(update(User).where(User.name=='Bob').values(balance=User.balance+1)); s.commit()
    assert s.scalar(select(User.balance).where(User.name=='Bob'))==decimal.Decimal('13.34')
    sub = select(Post.user_id, func.row_number().over(partition_by=Post.user_id, order_by=Post.id).label('n'), Post.title).subquery()
    assert s.execute(select(sub.c.title).where(sub.c.n==2)).all()==[('two',)]
    lat = select(Post.title).where(Post.user_id==User.id).order_by(Post.id.desc()).limit(1).lateral()
    assert s.execute(select(User.name, lat.c.title).join(lat, true())).all()==[('Ann','two')]
    s.delete(u); s.commit(); assert s.scalar(select(func.count()).select_from(Post))==0
    s.commit()
    with s.begin(): assert s.scalar(select(User).where(User.name=='Bob').with_for_update(skip_locked=True)).name=='Bob'
    for chunk in s.connection().execution_options(stream_results=True).execute(text('select generate_series(1,5000)')).partitions(1000): assert len(chunk)==1000
i = inspect(engine)
cols = {c['name']: c for c in i.get_columns('sa_user')}
assert isinstance(cols['mood']['type'], Enum) and cols['mood']['type'].enums==['happy','sad'], cols['mood']
assert isinstance(cols['balance']['type'], Numeric) and cols['balance']['type'].scale==2
assert i.get_pk_constraint('sa_user')['constrained_columns']==['id']
assert i.get_foreign_keys('sa_post')[0]['options'].get('ondelete')=='CASCADE', i.get_foreign_keys('sa_post')
assert i.get_unique_constraints('sa_user')[0]['name']=='sa_user_name_key'
assert i.get_check_constraints('sa_user')[0]['sqltext'] in ('balance >= 0::numeric','balance >= 0','(balance >= (0)::numeric)'), i.get_check_constraints('sa_user')
ix = i.get_indexes('sa_user'); assert any(x['name']=='sa_user_lower' and x.get('expressions') for x in ix), ix
m = MetaData(); m.reflect(engine, only=['sa_user','sa_post','sa_tag','sa_post_tag'])
assert m.tables['sa_post'].c.id.identity is not None
# Alembic: migrate up and down, autogenerate finds no difference
from alembic.migration import MigrationContext
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
with engine.connect() as c:
    ctx = MigrationContext.configure(c, opts={'compare_type': True, 'compare_server_default': True})
    diff = compare_metadata(ctx, Base.metadata)
    diff = [d for d in diff if 'sa_' in str(d)]
    assert not diff, diff
    op = Operations(ctx)
    with ctx.begin_transaction():
        op.add_column('sa_user', Column('age', Integer, nullable=False, server_default='3'))
        op.alter_column('sa_user','age', server_default=None, type_=BigInteger)
        op.create_index('sa_age','sa_user',['age'])
        op.create_table('sa_new', Column('id', Integer, primary_key=True), Column('u', Integer, ForeignKey('sa_user.id')))
        op.rename_table('sa_new','sa_newer')
        op.execute("UPDATE sa_user SET age = 4")
    with ctx.begin_transaction():
        op.drop_table('sa_newer'); op.drop_index('sa_age'); op.drop_column('sa_user','age')
    c.commit()
Base.metadata.drop_all(engine)
print('ok')
