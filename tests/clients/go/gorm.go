package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

type Owner struct {
	gorm.Model
	Name    string `gorm:"size:50;not null;uniqueIndex:owner_name"`
	Email   *string
	Age     uint8 `gorm:"check:owner_age,age < 200;default:18"`
	Born    time.Time
	Money   float64 `gorm:"type:numeric(10,2);default:1.5;comment:what there is"`
	Active  bool    `gorm:"default:true"`
	Data    []byte
	Tags    string `gorm:"type:jsonb;default:'[]'"`
	UID     string `gorm:"type:uuid;default:gen_random_uuid()"`
	Pets    []Pet
	Card    Card
	Friends []*Owner `gorm:"many2many:owner_friends"`
	Clubs   []Club   `gorm:"many2many:memberships"`
	hooked  string
}
type Pet struct {
	ID      uint
	Name    string `gorm:"index:pet_sort,priority:2;index:,where:name <> ''"`
	Kind    string `gorm:"index:pet_sort,sort:desc,priority:1;type:varchar(20)"`
	OwnerID uint
	Owner   *Owner `gorm:"constraint:OnUpdate:CASCADE,OnDelete:SET NULL"`
	Toys    []Toy  `gorm:"polymorphic:Holder"`
}
type Toy struct {
	ID         int64 `gorm:"primaryKey;autoIncrement"`
	Label      string
	HolderID   uint
	HolderType string
}
type Card struct {
	Number  string `gorm:"primaryKey"`
	OwnerID uint
	Expires *time.Time `gorm:"precision:3"`
}
type Club struct {
	Code  string `gorm:"primaryKey;size:10"`
	Title string
}
type Membership struct {
	OwnerID  uint   `gorm:"primaryKey"`
	ClubCode string `gorm:"primaryKey"`
	Since    time.Time
}

func (o *Owner) BeforeCreate(tx *gorm.DB) error { o.Name = strings.TrimSpace(o.Name); return nil }
func (o *Owner) AfterFind(tx *gorm.DB) error    { o.hooked = "found " + o.Name; return nil }

// Collects the statements that are sent.
type recorder struct {
	logger.Interface
	said []string
}

func (r *recorder) LogMode(logger.LogLevel) logger.Interface { return r }
func (r *recorder) Trace(_ context.Context, _ time.Time, f func() (string, int64), _ error) {
	sql, _ := f()
	r.said = append(r.said, sql)
}

func runGorm(url string) {
	log := &recorder{Interface: logger.Discard}
	db := must(gorm.Open(postgres.Open(url), &gorm.Config{Logger: log, TranslateError: false, NowFunc: func() time.Time { return time.Unix(1700000000, 0).UTC() }}))
	pool, _ := db.DB()
	pool.SetMaxOpenConns(2)
	tables := []any{&Owner{}, &Pet{}, &Toy{}, &Card{}, &Club{}, &Membership{}}
	db.Migrator().DropTable("owner_friends", &Membership{}, &Card{}, &Toy{}, &Pet{}, &Club{}, &Owner{}, "people")
	changes := func(f func() error) (any, error) {
		log.said = nil
		err := f()
		out := []string{}
		for _, s := range log.said {
			if regexp.MustCompile(`^(ALTER|CREATE|DROP|COMMENT)`).MatchString(s) {
				out = append(out, s)
			}
		}
		if len(out) == 0 {
			return "no change", err
		}
		// The order of tables between others, and of their keys, is a map's.
		for n, s := range out {
			if keys := strings.Split(s, ",CONSTRAINT "); len(keys) > 2 {
				keys[len(keys)-1] = strings.TrimSuffix(keys[len(keys)-1], ")")
				slices.Sort(keys[1:])
				out[n] = strings.Join(keys, ",CONSTRAINT ") + ")"
			}
		}
		slices.Sort(out)
		return "\n  " + strings.Join(out, "\n  "), err
	}
	step("join table", func() (any, error) { return nil, db.SetupJoinTable(&Owner{}, "Clubs", &Membership{}) })
	step("migrate", func() (any, error) { return changes(func() error { return db.AutoMigrate(tables...) }) })
	step("migrate again", func() (any, error) { return changes(func() error { return db.AutoMigrate(tables...) }) })
	type grown struct {
		ID    uint
		Name  string `gorm:"index:pet_sort,priority:2;index:,where:name <> '';size:90;not null;default:none"`
		Kind  string `gorm:"index:pet_sort,sort:desc,priority:1;type:text"`
		Extra int    `gorm:"not null;default:7;comment:more;uniqueIndex:,where:extra > 7"`
	}
	step("migrate what has changed", func() (any, error) { return changes(func() error { return db.Table("pets").AutoMigrate(&grown{}) }) })
	step("and again", func() (any, error) { return changes(func() error { return db.Table("pets").AutoMigrate(&grown{}) }) })
	m := db.Migrator()
	step("has", func() (any, error) {
		return fmt.Sprint(m.HasTable("owners"), m.HasColumn(&Pet{}, "extra"), m.HasIndex(&Pet{}, "pet_sort"), m.HasConstraint(&Owner{}, "owner_age"), m.HasConstraint(&Pet{}, "Owner"), m.HasTable("nothing"), m.CurrentDatabase() != ""), nil
	})
	step("column types", func() (any, error) {
		types, err := m.ColumnTypes(&Owner{})
		out := []string{}
		for _, t := range types {
			n, nok := t.Nullable()
			l, lok := t.Length()
			p, s, dok := t.DecimalSize()
			d, _ := t.DefaultValue()
			k, _ := t.PrimaryKey()
			u, _ := t.Unique()
			a, _ := t.AutoIncrement()
			c, _ := t.Comment()
			f, _ := t.ColumnType()
			out = append(out, fmt.Sprint("\n  ", t.Name(), " ", f, " ", t.DatabaseTypeName(), " ", n, nok, " ", l, lok, " ", p, s, dok, " ", d, " ", k, u, a, " ", c))
		}
		return strings.Join(out, ""), err
	})
	step("indexes", func() (any, error) {
		found, err := m.GetIndexes("pets")
		out := []string{}
		for _, i := range found {
			u, _ := i.Unique()
			p, _ := i.PrimaryKey()
			columns := i.Columns()
			slices.Sort(columns)
			out = append(out, fmt.Sprint(i.Name(), columns, u, p, " ", i.Option()))
		}
		slices.Sort(out)
		return out, err
	})
	step("tables", func() (any, error) { t, err := m.GetTables(); return len(t) >= 6, err })
	step("table type", func() (any, error) { t, err := m.TableType("owners"); return t, err })
	step("create with relations", func() (any, error) {
		email := "a@x"
		o := Owner{Name: " Ann ", Email: &email, Born: time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC), Data: []byte{1, 2}, Pets: []Pet{{Name: "Rex", Kind: "dog", Toys: []Toy{{Label: "ball"}, {Label: "bone"}}}, {Name: "Tom", Kind: "cat"}}, Card: Card{Number: "123"}, Clubs: []Club{{Code: "c", Title: "Chess"}}}
		err := db.Create(&o).Error
		return fmt.Sprint(o.ID, o.Age, o.Money, o.Active, o.Tags, len(o.UID), o.Pets[0].ID, o.Pets[0].Toys[1].ID), err
	})
	step("create many", func() (any, error) {
		many := []Owner{}
		for n := 0; n < 250; n++ {
			many = append(many, Owner{Name: fmt.Sprint("many", n), Age: uint8(n % 90), Tags: fmt.Sprintf(`{"n": %d}`, n)})
		}
		r := db.CreateInBatches(&many, 100)
		return fmt.Sprint(r.RowsAffected, many[249].ID-many[0].ID), r.Error
	})
	step("unique", func() (any, error) { return nil, db.Create(&Owner{Name: "Ann"}).Error })
	step("unique, translated", func() (any, error) {
		t := must(gorm.Open(postgres.Open(url), &gorm.Config{Logger: logger.Discard, TranslateError: true}))
		err := t.Create(&Owner{Name: "Ann"}).Error
		key := t.Create(&Pet{Name: "x", OwnerID: 9999}).Error
		check := t.Create(&Owner{Name: "old", Age: 201}).Error
		return fmt.Sprint(errors.Is(err, gorm.ErrDuplicatedKey), errors.Is(key, gorm.ErrForeignKeyViolated), errors.Is(check, gorm.ErrCheckConstraintViolated)), nil
	})
	step("preload", func() (any, error) {
		var o Owner
		err := db.Preload("Pets.Toys").Preload("Pets", func(d *gorm.DB) *gorm.DB { return d.Order("name DESC") }).Preload(clause.Associations).First(&o, "name = ?", "Ann").Error
		return fmt.Sprint(len(o.Pets), o.Pets[1].Toys, o.Card.Number, o.Clubs, o.hooked, o.Born), err
	})
	step("joins", func() (any, error) {
		var p []Pet
		err := db.Joins("Owner").Where("\"Owner\".\"name\" = ?", "Ann").Order("pets.id").Find(&p).Error
		return fmt.Sprint(len(p), p[0].Owner.Name), err
	})
	step("join of an association", func() (any, error) {
		var o []Owner
		err := db.InnerJoins("Card").Find(&o).Error
		return fmt.Sprint(len(o), o[0].Card.Number), err
	})
	step("scan", func() (any, error) {
		var r []struct {
			Kind string
			N    int
			Avg  float64
		}
		err := db.Model(&Pet{}).Select("kind, count(*) AS n, avg(length(name)) AS avg").Group("kind").Having("count(*) > ?", 0).Order("kind").Scan(&r).Error
		return r, err
	})
	step("pluck", func() (any, error) {
		var names []string
		err := db.Model(&Owner{}).Where("age BETWEEN ? AND ?", 5, 7).Where(db.Where("name LIKE ?", "many%").Or("name = ?", "x")).Not("name IN ?", []string{"many5", "many6"}).Order("name").Limit(3).Offset(1).Distinct().Pluck("name", &names).Error
		return names, err
	})
	step("json", func() (any, error) {
		var n int64
		err := db.Model(&Owner{}).Where("tags->>'n' = ? OR tags @> ?", "7", `{"n": 8}`).Count(&n).Error
		return n, err
	})
	step("subquery", func() (any, error) {
		var n int64
		err := db.Model(&Owner{}).Where("age > (?)", db.Model(&Owner{}).Select("avg(age)")).Where("EXISTS (?)", db.Model(&Pet{}).Select("1").Where("pets.owner_id <> owners.id")).Count(&n).Error
		return n, err
	})
	step("save", func() (any, error) {
		var o Owner
		db.First(&o, "name = ?", "many3")
		o.Age = 33
		err := db.Save(&o).Error
		db.First(&o, o.ID)
		return o.Age, err
	})
	step("updates", func() (any, error) {
		r := db.Model(&Owner{}).Where("name LIKE ?", "many1%").Updates(map[string]any{"age": gorm.Expr("age + ?", 1), "active": false})
		return r.RowsAffected, r.Error
	})
	step("update returning", func() (any, error) {
		var o []Owner
		err := db.Model(&o).Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}, {Name: "age"}}}).Where("name = ?", "many4").Update("age", 99).Error
		return fmt.Sprint(len(o), o[0].Age), err
	})
	step("upsert", func() (any, error) {
		r := db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"age", "updated_at"})}).Create(&[]Owner{{Name: "many5", Age: 55}, {Name: "new one", Age: 56}})
		return r.RowsAffected, r.Error
	})
	step("do nothing", func() (any, error) {
		r := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&Owner{Name: "many5"})
		return r.RowsAffected, r.Error
	})
	step("upsert with where", func() (any, error) {
		r := db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, Where: clause.Where{Exprs: []clause.Expression{clause.Gt{Column: "owners.age", Value: 50}}}, DoUpdates: clause.Assignments(map[string]any{"age": gorm.Expr("LEAST(owners.age, excluded.age)")})}).Create(&Owner{Name: "many5", Age: 5})
		return r.RowsAffected, r.Error
	})
	step("first or create", func() (any, error) {
		var o Owner
		r := db.Where(Owner{Name: "many6"}).Attrs(Owner{Age: 1}).Assign(Owner{Age: 66}).FirstOrCreate(&o)
		return fmt.Sprint(r.RowsAffected, o.Age), r.Error
	})
	step("associations", func() (any, error) {
		var o Owner
		db.First(&o, "name = ?", "Ann")
		a := db.Model(&o).Association("Clubs")
		if err := a.Append([]Club{{Code: "g", Title: "Go"}, {Code: "d", Title: "Dance"}}); err != nil {
			return nil, err
		}
		n := a.Count()
		if err := a.Replace([]Club{{Code: "g", Title: "Go"}}); err != nil {
			return nil, err
		}
		return fmt.Sprint(n, a.Count()), db.Model(&o).Association("Friends").Append(&Owner{Name: "friend"})
	})
	step("nested transaction", func() (any, error) {
		err := db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&Owner{Name: "outer"}).Error; err != nil {
				return err
			}
			inner := tx.Transaction(func(in *gorm.DB) error { return in.Create(&Owner{Name: "outer"}).Error })
			fmt.Println("  inner:", told(inner))
			return tx.Create(&Owner{Name: "after"}).Error
		})
		var n int64
		db.Model(&Owner{}).Where("name IN ?", []string{"outer", "after"}).Count(&n)
		return n, err
	})
	step("locking", func() (any, error) {
		return nil, db.Transaction(func(tx *gorm.DB) error {
			var o Owner
			return tx.Clauses(clause.Locking{Strength: "UPDATE", Options: "NOWAIT", Table: clause.Table{Name: clause.CurrentTable}}).First(&o).Error
		})
	})
	step("soft delete", func() (any, error) {
		r := db.Where("name = ?", "friend").Delete(&Owner{})
		var n, all int64
		db.Model(&Owner{}).Where("name = ?", "friend").Count(&n)
		db.Unscoped().Model(&Owner{}).Where("name = ?", "friend").Count(&all)
		return fmt.Sprint(r.RowsAffected, n, all), r.Error
	})
	step("find in batches", func() (any, error) {
		var o []Owner
		sizes := []int{}
		err := db.Where("age < 80").FindInBatches(&o, 100, func(tx *gorm.DB, n int) error { sizes = append(sizes, len(o)); return nil }).Error
		return sizes, err
	})
	step("rows", func() (any, error) {
		rows, err := db.Model(&Owner{}).Rows()
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		n := 0
		for rows.Next() {
			var o Owner
			if err := db.ScanRows(rows, &o); err != nil {
				return nil, err
			}
			n++
		}
		return n, nil
	})
	step("named arguments", func() (any, error) {
		var n int
		err := db.Raw("SELECT count(*) FROM owners WHERE name = @name OR email = @email", map[string]any{"name": "Ann", "email": "x"}).Scan(&n).Error
		return n, err
	})
	step("view", func() (any, error) {
		err := m.CreateView("grown_ups", gorm.ViewOption{Query: db.Model(&Owner{}).Where("age > ?", 17), Replace: true})
		var n int64
		db.Table("grown_ups").Count(&n)
		return n > 0, errors.Join(err, m.DropView("grown_ups"))
	})
	step("changes of the schema", func() (any, error) {
		return changes(func() error {
			return errors.Join(m.RenameColumn(&Pet{}, "kind", "sort"), m.RenameIndex(&Pet{}, "pet_sort", "pet_by_sort"), m.DropIndex(&Pet{}, "pet_by_sort"), m.DropColumn(&Pet{}, "sort"), m.DropConstraint(&Owner{}, "owner_age"), m.AlterColumn(&Club{}, "Title"), m.RenameTable(&Membership{}, "people"))
		})
	})
	step("prepared, simple", func() (any, error) {
		p := db.Session(&gorm.Session{PrepareStmt: true})
		for n := 0; n < 3; n++ {
			var o Owner
			if err := p.First(&o, n+1).Error; err != nil {
				return nil, err
			}
		}
		s := must(gorm.Open(postgres.New(postgres.Config{DSN: url, PreferSimpleProtocol: true}), &gorm.Config{Logger: logger.Discard}))
		var o Owner
		err := s.Preload("Pets", "name <> ?", "Te'st\\").First(&o, "name = ? AND born < ? AND data IS NOT NULL", "Ann", time.Now()).Error
		return len(o.Pets), err
	})
	step("drop", func() (any, error) {
		return nil, m.DropTable("people", "owner_friends", &Card{}, &Toy{}, &Pet{}, &Club{}, &Owner{})
	})
}
