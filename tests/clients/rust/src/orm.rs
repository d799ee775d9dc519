//! SeaORM: a migrator, entities with relations, transactions, errors told apart, pages, streams.

use crate::step;
use futures_util::TryStreamExt;
use sea_orm::{
    ActiveValue::{NotSet, Set}, Condition, ConnectOptions, ConnectionTrait, Database, DatabaseBackend, FromQueryResult, IsolationLevel, JoinType, QueryOrder, QuerySelect, SqlErr, Statement, TransactionTrait,
    entity::prelude::*,
    sea_query::{ExprTrait, extension::postgres::PgExpr, Alias, Expr, LockBehavior, LockType, OnConflict, Query},
};
use sea_orm_migration::prelude::{ColumnDef as Col, ForeignKey, ForeignKeyAction, Index, MigrationName, MigrationTrait, MigratorTrait, SchemaManager, Table, Iden, extension::postgres::Type};

pub mod cake {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "cake")]
    pub struct Model {
        #[sea_orm(primary_key)] pub id: i32,
        #[sea_orm(unique)] pub name: String,
        pub size: Size,
        pub details: Option<Json>,
        pub tags: Vec<String>,
        pub uid: Uuid,
        pub baked: Option<DateTimeWithTimeZone>,
        pub day: Option<Date>,
    }
    #[derive(Clone, Debug, PartialEq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "cake_size")]
    pub enum Size { #[sea_orm(string_value = "small")] Small, #[sea_orm(string_value = "large")] Large }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation { #[sea_orm(has_many = "super::fruit::Entity")] Fruit }
    impl Related<super::fruit::Entity> for Entity { fn to() -> RelationDef { Relation::Fruit.def() } }
    impl ActiveModelBehavior for ActiveModel {}
}
pub mod fruit {
    use sea_orm::entity::prelude::*;
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "fruit")]
    pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub name: String, pub cake_id: Option<i32> }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation { #[sea_orm(belongs_to = "super::cake::Entity", from = "Column::CakeId", to = "super::cake::Column::Id")] Cake }
    impl Related<super::cake::Entity> for Entity { fn to() -> RelationDef { Relation::Cake.def() } }
    impl ActiveModelBehavior for ActiveModel {}
}

struct First;
impl MigrationName for First { fn name(&self) -> &str { "m1_first" } }
#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.create_type(Type::create().as_enum(Alias::new("cake_size")).values([Alias::new("small"), Alias::new("large")]).to_owned()).await?;
        m.create_table(Table::create().table(Alias::new("cake")).if_not_exists()
            .col(Col::new(Alias::new("id")).integer().not_null().auto_increment().primary_key())
            .col(Col::new(Alias::new("name")).string().not_null().unique_key())
            .col(Col::new(Alias::new("size")).custom(Alias::new("cake_size")).not_null().default("small"))
            .col(Col::new(Alias::new("details")).json_binary())
            .col(Col::new(Alias::new("tags")).array(sea_orm_migration::prelude::ColumnType::Text).not_null())
            .col(Col::new(Alias::new("uid")).uuid().not_null())
            .col(Col::new(Alias::new("baked")).timestamp_with_time_zone())
            .col(Col::new(Alias::new("day")).date()).to_owned()).await?;
        m.create_table(Table::create().table(Alias::new("fruit"))
            .col(Col::new(Alias::new("id")).big_integer().not_null().auto_increment().primary_key())
            .col(Col::new(Alias::new("name")).string_len(30).not_null())
            .col(Col::new(Alias::new("cake_id")).integer())
            .foreign_key(ForeignKey::create().name("fruit_cake").from(Alias::new("fruit"), Alias::new("cake_id")).to(Alias::new("cake"), Alias::new("id")).on_delete(ForeignKeyAction::Cascade).on_update(ForeignKeyAction::Cascade)).to_owned()).await?;
        m.create_index(Index::create().name("fruit_name").table(Alias::new("fruit")).col(Alias::new("name")).if_not_exists().to_owned()).await
    }
    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.drop_table(Table::drop().table(Alias::new("fruit")).to_owned()).await?;
        m.drop_table(Table::drop().table(Alias::new("cake")).if_exists().cascade().to_owned()).await?;
        m.drop_type(Type::drop().name(Alias::new("cake_size")).if_exists().to_owned()).await
    }
}
struct Second;
impl MigrationName for Second { fn name(&self) -> &str { "m2_second" } }
#[async_trait::async_trait]
impl MigrationTrait for Second {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(Table::alter().table(Alias::new("fruit")).add_column(Col::new(Alias::new("ripe")).boolean().not_null().default(false)).modify_column(Col::new(Alias::new("name")).string_len(60)).to_owned()).await?;
        m.get_connection().execute_unprepared("ALTER TYPE cake_size ADD VALUE IF NOT EXISTS 'huge' AFTER 'large'").await.map(|_| ())
    }
    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.alter_table(Table::alter().table(Alias::new("fruit")).drop_column(Alias::new("ripe")).to_owned()).await
    }
}
struct Migrator;
impl MigratorTrait for Migrator { fn migrations() -> Vec<Box<dyn MigrationTrait>> { vec![Box::new(First), Box::new(Second)] } }

#[derive(Debug, FromQueryResult)]
#[allow(dead_code)]
struct Count { name: String, n: i64 }

pub async fn run(url: &str) {
    let db = Database::connect(ConnectOptions::new(format!("{url}?options=-c%20search_path%3Dso")).max_connections(3).to_owned()).await.unwrap();
    db.execute_unprepared("DROP SCHEMA IF EXISTS so CASCADE; CREATE SCHEMA so").await.unwrap();
    step!("up", { Migrator::up(&db, None).await?; Ok(Migrator::get_applied_migrations(&db).await?.len()) });
    step!("down and up", { Migrator::down(&db, Some(1)).await?; Migrator::up(&db, None).await?; Ok("done") });
    step!("what is there", { let m = SchemaManager::new(&db); Ok(format!("{} {} {} {}", m.has_table("cake").await?, m.has_column("fruit", "ripe").await?, m.has_index("fruit", "fruit_name").await?, m.has_table("none").await?)) });
    let new = |name: &str| cake::ActiveModel { id: NotSet, name: Set(name.into()), size: Set(cake::Size::Large), details: Set(Some(serde_json::json!({"k": name}))), tags: Set(vec!["a".into(), "b,c".into()]), uid: Set(Uuid::from_u128(5)), baked: Set(DateTimeWithTimeZone::parse_from_rfc3339("2020-01-02T03:04:05+02:00").ok()), day: Set(Date::from_ymd_opt(2020, 1, 2)) };
    step!("insert", Ok(format!("{:?}", new("cheese").insert(&db).await?)));
    step!("insert many", {
        cake::Entity::insert_many((0..20).map(|n| new(&format!("cake {n}")))).exec(&db).await?;
        let r = fruit::Entity::insert_many((0..60).map(|n| fruit::ActiveModel { id: NotSet, name: Set(format!("fruit {n}")), cake_id: Set(Some(n % 20 + 1)) })).exec(&db).await?;
        Ok(r.last_insert_id)
    });
    step!("unique", { let e = new("cheese").insert(&db).await.unwrap_err(); Ok(format!("{:?}", e.sql_err())) });
    step!("foreign key", { let e = fruit::ActiveModel { id: NotSet, name: Set("x".into()), cake_id: Set(Some(999)) }.insert(&db).await.unwrap_err(); Ok(matches!(e.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))) });
    step!("find with related", Ok(format!("{:?}", cake::Entity::find().find_with_related(fruit::Entity).filter(cake::Column::Id.lt(4)).order_by_asc(cake::Column::Id).order_by_asc(fruit::Column::Id).all(&db).await?.iter().map(|(c, f)| (c.name.clone(), f.len())).collect::<Vec<_>>())));
    step!("find also related", Ok(fruit::Entity::find().find_also_related(cake::Entity).all(&db).await?.iter().filter(|(_, c)| c.is_some()).count()));
    step!("enum", Ok(cake::Entity::find().filter(cake::Column::Size.eq(cake::Size::Large)).filter(cake::Column::Size.is_in([cake::Size::Large, cake::Size::Small])).count(&db).await?));
    step!("grouped", Ok(format!("{:?}", fruit::Entity::find().select_only().column_as(cake::Column::Name, "name").column_as(fruit::Column::Id.count(), "n").join(JoinType::InnerJoin, fruit::Relation::Cake.def()).group_by(cake::Column::Name).having(ExprTrait::gt(fruit::Column::Id.count(), 2)).order_by_asc(cake::Column::Name).limit(2).into_model::<Count>().all(&db).await?)));
    step!("json", Ok(format!("{:?}", cake::Entity::find().filter(Expr::cust_with_values("\"details\"->>'k' = $1", ["cheese"])).into_json().one(&db).await?)));
    step!("conditions", Ok(cake::Entity::find().filter(Condition::any().add(cake::Column::Name.like("cake 1%")).add(cake::Column::Name.contains("ees")).add(cake::Column::Day.is_null())).filter(cake::Column::Id.in_subquery(Query::select().column(fruit::Column::CakeId).from(fruit::Entity).to_owned())).count(&db).await?));
    step!("pages", { let p = fruit::Entity::find().order_by_asc(fruit::Column::Id).paginate(&db, 25); let n = p.num_items_and_pages().await?; Ok(format!("{n:?} {}", p.fetch_page(2).await?.len())) });
    step!("cursor", Ok(fruit::Entity::find().cursor_by(fruit::Column::Id).after(10).first(5).all(&db).await?.len()));
    step!("stream", { let mut n = 0; let mut s = fruit::Entity::find().stream(&db).await?; while s.try_next().await?.is_some() { n += 1 } Ok(n) });
    step!("update", { let mut c: cake::ActiveModel = cake::Entity::find_by_id(2).one(&db).await?.unwrap().into(); c.size = Set(cake::Size::Small); c.tags = Set(vec![]); Ok(format!("{:?}", c.update(&db).await?.tags)) });
    step!("update many", Ok(fruit::Entity::update_many().col_expr(fruit::Column::Name, PgExpr::concat(Expr::col(fruit::Column::Name), "!")).filter(fruit::Column::Id.lte(10)).exec(&db).await?.rows_affected));
    step!("upsert", Ok(cake::Entity::insert(new("cheese")).on_conflict(OnConflict::column(cake::Column::Name).update_columns([cake::Column::Day, cake::Column::Tags]).to_owned()).exec_with_returning(&db).await?.id));
    step!("do nothing", Ok(format!("{:?}", cake::Entity::insert_many([new("cheese")]).on_conflict(OnConflict::column(cake::Column::Name).do_nothing().to_owned()).on_empty_do_nothing().exec_without_returning(&db).await?)));
    step!("transaction", {
        let t = db.begin_with_config(Some(IsolationLevel::RepeatableRead), None).await?;
        new("t1").insert(&t).await?;
        let inner = t.begin().await?;
        let failed = new("t1").insert(&inner).await.is_err();
        inner.rollback().await?;
        new("t2").insert(&t).await?;
        t.commit().await?;
        Ok(format!("{failed} {}", cake::Entity::find().filter(cake::Column::Name.is_in(["t1", "t2"])).count(&db).await?))
    });
    step!("locked", { let t = db.begin().await?; let rows = cake::Entity::find().lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).limit(3).all(&t).await?; let none = cake::Entity::find_by_id(rows[0].id).lock_with_behavior(LockType::Update, LockBehavior::Nowait).one(&db).await; t.rollback().await?; Ok(format!("{} {}", rows.len(), none.is_err())) });
    step!("raw", Ok(db.query_all(Statement::from_sql_and_values(DatabaseBackend::Postgres, "SELECT id FROM cake WHERE name = ANY($1) ORDER BY 1", [vec!["cheese".to_owned(), "t1".to_owned()].into()])).await?.len()));
    step!("delete", { let r = cake::Entity::delete_many().filter(cake::Column::Name.starts_with("cake 1")).exec(&db).await?; Ok(format!("{} {}", r.rows_affected, fruit::Entity::find().count(&db).await?)) });
    step!("status and refresh", { Migrator::status(&db).await?; Migrator::refresh(&db).await?; Ok(cake::Entity::find().count(&db).await?) });
    step!("reset", { Migrator::reset(&db).await?; Ok(SchemaManager::new(&db).has_table("cake").await?) });
    step!("fresh", { db.execute_unprepared("CREATE TABLE other (a int); CREATE TABLE more (b int)").await?; Migrator::fresh(&db).await?; Ok(SchemaManager::new(&db).has_table("other").await?) });
    let _ = Iden::to_string(&Alias::new("x"));
}
