import jakarta.persistence.*;
import java.math.BigDecimal;
import java.time.*;
import java.util.*;
import java.util.function.*;
import org.hibernate.*;
import org.hibernate.annotations.*;
import org.hibernate.cfg.Configuration;
import org.hibernate.query.Query;
import org.hibernate.type.SqlTypes;

/** Hibernate: the schema made, updated and validated by it; relations, locks, batches, queries of all kinds. */
final class Hibernates extends Steps {
    enum Genre { NOVEL, POEMS, PLAYS }

    @Entity(name = "Author") @jakarta.persistence.Table(name = "hb_author", uniqueConstraints = @UniqueConstraint(name = "hb_author_email", columnNames = "email"))
    static class Author {
        @Id @GeneratedValue(strategy = GenerationType.SEQUENCE) Long id;
        @Column(nullable = false, length = 50) String name;
        String email;
        @jakarta.persistence.Version int version;
        @OneToMany(mappedBy = "author", cascade = jakarta.persistence.CascadeType.ALL, orphanRemoval = true) @jakarta.persistence.OrderBy("title") List<Book> books = new ArrayList<>();
        @ElementCollection @CollectionTable(name = "hb_nick") Set<String> nicks = new TreeSet<>();
        @Embedded Address address;
        @CreationTimestamp Instant created;
        Author() {}
        Author(String name, String email) { this.name = name; this.email = email; }
        void add(Book book) { book.author = this; books.add(book); }
    }

    @Embeddable static class Address { String street; String city; Address() {} Address(String s, String c) { street = s; city = c; } }

    @Entity(name = "Book") @jakarta.persistence.Table(name = "hb_book", indexes = @jakarta.persistence.Index(name = "hb_book_title", columnList = "title, price desc"))
    static class Book {
        @Id @GeneratedValue(strategy = GenerationType.IDENTITY) Integer id;
        String title;
        @Column(precision = 10, scale = 2) BigDecimal price;
        @Enumerated(EnumType.STRING) Genre genre;
        @Enumerated(EnumType.ORDINAL) Genre ordinal;
        @JdbcTypeCode(SqlTypes.JSON) Map<String, String> details;
        @ManyToOne(fetch = FetchType.LAZY, optional = false) Author author;
        @ManyToMany @JoinTable(name = "hb_book_tag") Set<Tag> tags = new HashSet<>();
        String[] keywords;
        List<Integer> ratings;
        UUID isbn;
        LocalDate published; OffsetDateTime sold; Duration length; LocalTime at; LocalDateTime local; ZonedDateTime zoned;
        boolean lent; byte[] cover; Character mark; double weight; float height; short pages; long copies; java.net.InetAddress host;
        @Lob @Column(columnDefinition = "text") @JdbcTypeCode(SqlTypes.LONG32VARCHAR) String body;
        @Formula("price * 2") BigDecimal twice;
        @ColumnDefault("7") @Generated Integer given;
        Book() {}
        Book(String title, String price) { this.title = title; this.price = new BigDecimal(price); }
    }

    @Entity(name = "Tag") @jakarta.persistence.Table(name = "hb_tag")
    static class Tag { @Id @GeneratedValue UUID id; @NaturalId String word; Tag() {} Tag(String word) { this.word = word; } }

    @Entity(name = "Item") @jakarta.persistence.Table(name = "hb_item") @Inheritance(strategy = InheritanceType.JOINED)
    static class Item { @Id @GeneratedValue(strategy = GenerationType.TABLE) Long id; String label; @ManyToOne Item parent; }
    @Entity(name = "Disc") @jakarta.persistence.Table(name = "hb_disc") static class Disc extends Item { int tracks; }
    @Entity(name = "Map") @jakarta.persistence.Table(name = "hb_map") static class Chart extends Item { double scale; }

    @Entity(name = "Beast") @jakarta.persistence.Table(name = "hb_beast") @Inheritance(strategy = InheritanceType.SINGLE_TABLE) @DiscriminatorColumn(name = "kind")
    @SoftDelete static class Beast { @Id @GeneratedValue Long id; String name; }
    @Entity(name = "Dog") @DiscriminatorValue("dog") static class Dog extends Beast { Integer barks; }
    @Entity(name = "Cat") @DiscriminatorValue("cat") static class Cat extends Beast { Boolean purrs; }

    static final Class<?>[] FIRST = {Author.class, Book.class, Tag.class, Item.class, Disc.class, Chart.class, Beast.class, Dog.class, Cat.class};

    static SessionFactory factory(String url, String schema, String... more) {
        var c = new Configuration();
        for (var entity : FIRST) c.addAnnotatedClass(entity);
        c.setProperty("hibernate.connection.url", url + "?currentSchema=hb");
        c.setProperty("hibernate.connection.username", "quorate");
        c.setProperty("hibernate.hbm2ddl.auto", schema);
        c.setProperty("hibernate.hbm2ddl.halt_on_error", "true");
        c.setProperty("hibernate.jdbc.batch_size", "20");
        c.setProperty("hibernate.jdbc.time_zone", "UTC");
        c.setProperty("hibernate.type.preferred_duration_jdbc_type", "INTERVAL_SECOND");
        if (System.getenv("SHOW") != null) c.setProperty("hibernate.show_sql", "true");
        for (int n = 0; n < more.length; n += 2) c.setProperty(more[n], more[n + 1]);
        return c.buildSessionFactory();
    }

    static void run(String url) throws Throwable {
        java.util.logging.Logger.getLogger("org.hibernate").setLevel(java.util.logging.Level.OFF);
        var c = Pgjdbc.connect(url);
        try (var s = c.createStatement()) { s.execute("DROP SCHEMA IF EXISTS hb CASCADE"); s.execute("CREATE SCHEMA hb"); }
        step("create", () -> { factory(url, "create").close(); return "done"; });
        step("made", () -> query(c, "SELECT table_name, count(*) FROM information_schema.columns WHERE table_schema = 'hb' GROUP BY 1 ORDER BY 1"));
        step("keys", () -> query(c, "SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'hb'::regnamespace AND contype <> 'f' ORDER BY 1, 2, 3"));
        try (var s = c.createStatement()) { s.execute("ALTER TABLE hb.hb_book DROP COLUMN weight; ALTER TABLE hb.hb_book DROP COLUMN host; DROP TABLE hb.hb_nick; DROP TYPE IF EXISTS hb.unused; DROP SEQUENCE hb.hb_beast_SEQ"); }
        step("validate what lacks something", () -> { factory(url, "validate").close(); return "done"; });
        step("update", () -> { factory(url, "update").close(); return "done"; });
        step("update again", () -> { factory(url, "update").close(); return "done"; });
        step("validate", () -> { factory(url, "validate").close(); return "done"; });
        for (String strategy : new String[] {"grouped", "individually"})
            step("update, looked up " + strategy, () -> { factory(url, "update", "hibernate.hbm2ddl.jdbc_metadata_extraction_strategy", strategy).close(); return "done"; });
        try (var f = factory(url, "none")) { work(f); }
        step("drop", () -> { factory(url, "create-drop").close(); return query(c, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'hb'"); });
    }

    static <T> T in(SessionFactory f, Function<Session, T> work) { return f.fromTransaction(work); }
    static Object list(Query<?> q) { return q.getResultList().stream().map(r -> r instanceof Object[] a ? Arrays.deepToString(a) : String.valueOf(r)).toList(); }
    static Object hql(SessionFactory f, String text, Object... values) {
        return in(f, s -> { var q = s.createQuery(text, Object.class); for (int n = 0; n < values.length; n++) q.setParameter(n + 1, values[n]); return list(q); });
    }

    static void work(SessionFactory f) {
        step("persist", () -> in(f, s -> {
            var tag = new Tag("classic"); s.persist(tag);
            for (int n = 0; n < 30; n++) {
                var a = new Author("author " + n, "a" + n + "@x"); a.nicks.add("n" + n % 3); a.nicks.add("m" + n); a.address = new Address("s" + n, n % 2 == 0 ? "Rome" : "Oslo");
                for (int m = 0; m <= n % 3; m++) {
                    var b = new Book("book " + n + "." + m, (n + 1) + ".25");
                    b.genre = Genre.values()[n % 3]; b.ordinal = Genre.POEMS; b.details = Map.of("k", "v" + n); b.keywords = new String[] {"x", "y" + n}; b.ratings = List.of(n, m);
                    b.isbn = new UUID(n, m); b.published = LocalDate.of(2000 + n, 1 + m, 5); b.sold = OffsetDateTime.of(2020, 1, 1 + n, 3, 4, 5, 0, ZoneOffset.ofHours(2)); b.length = Duration.ofMinutes(90 + n); b.at = LocalTime.of(3, 4); b.local = LocalDateTime.of(2020, 1, 2, 3, 4); b.zoned = ZonedDateTime.of(2020, 1, 2, 3, 4, 5, 0, ZoneOffset.UTC);
                    b.cover = new byte[] {1, (byte) n}; b.mark = 'q'; b.weight = 1.5 * n; b.height = 2.5f; b.pages = (short) n; b.copies = 1L << 40; b.body = "long".repeat(n);
                    try { b.host = java.net.InetAddress.getByName("10.0.0." + n); } catch (Exception e) { throw new RuntimeException(e); }
                    if (n % 2 == 0) b.tags.add(tag);
                    a.add(b);
                }
                s.persist(a);
            }
            return "done";
        }));
        step("find", () -> in(f, s -> { var b = s.createQuery("from Book where title = 'book 7.1'", Book.class).getSingleResult();
            return b.price + " " + b.genre + b.ordinal + b.details + Arrays.toString(b.keywords) + b.ratings + b.isbn + b.published + b.sold + b.length + b.at + b.local + b.zoned + b.lent + Arrays.toString(b.cover) + b.mark + b.weight + b.height + b.pages + b.copies + b.host + b.body + b.twice + b.given + b.author.name + b.tags.size(); }));
        step("lazy", () -> in(f, s -> s.createQuery("from Author order by id", Author.class).setMaxResults(5).getResultList().stream().map(a -> a.books.size() + a.nicks.toString()).toList()));
        step("fetch join", () -> in(f, s -> s.createQuery("select distinct a from Author a join fetch a.books b left join fetch b.tags where a.address.city = :c order by a.id", Author.class).setParameter("c", "Rome").getResultList().size()));
        step("entity graph", () -> in(f, s -> { var g = s.createEntityGraph(Author.class); g.addAttributeNodes("books", "nicks"); return s.createQuery("from Author where id = 1", Author.class).setHint("jakarta.persistence.fetchgraph", g).getResultList().size(); }));
        step("grouping", () -> hql(f, "select a.address.city, count(b), sum(b.price), avg(b.price), max(b.published) from Author a left join a.books b group by a.address.city having count(b) > 1 order by 1"));
        step("group by entity", () -> hql(f, "select a.name, count(b) from Author a join a.books b group by a order by a.id fetch first 3 rows only"));
        step("subquery", () -> hql(f, "select a.name from Author a where exists (select 1 from Book b where b.author = a and b.price > all (select c.price from Book c where c.author.id < 5)) order by a.id limit 3"));
        step("cte", () -> hql(f, "with rich as (select b.author.id aid, sum(b.price) total from Book b group by b.author.id) select a.name, r.total from Author a join rich r on r.aid = a.id order by r.total desc limit 3"));
        step("recursive", () -> hql(f, "with nums as (select 1 n union all select r.n + 1 n from nums r where r.n < 5) select n.n from nums n order by 1"));
        step("window", () -> hql(f, "select b.title, rank() over (partition by b.genre order by b.price desc), sum(b.price) over (order by b.id rows between 1 preceding and current row) from Book b order by b.id limit 4"));
        step("lateral", () -> hql(f, "select a.name, t.title from Author a join lateral (select b.title title from a.books b order by b.price desc, b.id limit 1) t order by a.id limit 3"));
        step("values", () -> hql(f, "select case when b.price > 10 then 'dear' else 'cheap' end, coalesce(b.body, ''), nullif(b.pages, 0), upper(b.title) || '!', length(b.title), locate('o', b.title), substring(b.title, 2, 3), trim(both 'b' from b.title), lower(b.title), concat(b.title, 1), replace(b.title, 'o', '0'), left(b.title, 2), right(b.title, 2), lpad(b.title, 12), cast(b.pages as string) from Book b where b.id = 5"));
        step("numbers", () -> hql(f, "select abs(-b.price), sqrt(4), mod(7, 4), round(b.price, 1), floor(b.price), ceiling(b.price), sign(b.price), power(2, 3), ln(1), exp(0), truncate(b.price, 1), b.price / 3, 7 / 2, greatest(1, 2), least(1, 2), sin(0), pi from Book b where b.id = 5"));
        step("moments", () -> hql(f, "select year(b.published), month(b.published), b.published + 3 day, (b.sold - b.sold) by second, extract(day of week from b.published), extract(week from b.published), (b.local - b.local) by second, truncate(b.sold, month), format(b.local as 'yyyy-MM-dd HH:mm'), extract(epoch from b.sold), (b.published - date 2000-01-01) by day, extract(date from b.local), extract(time from b.local) from Book b where b.id = 5"));
        step("now", () -> hql(f, "select count(*) from Book b where b.sold < instant and b.local < local datetime and b.published < local date and b.at is not null and current timestamp > b.sold"));
        step("arrays", () -> hql(f, "select array_length(b.keywords), array_contains(b.keywords, 'x'), array_append(b.keywords, 'z'), array_get(b.keywords, 2), array_position(b.keywords, 'x'), array_concat(b.keywords, array('w')), array_slice(b.keywords, 1, 1), array_to_string(b.keywords, ','), array_remove(b.keywords, 'x'), array_replace(b.keywords, 'x', 'u'), array_includes(b.keywords, array('x')), array_intersects(b.keywords, array('q')), array_trim(b.keywords, 1), array_fill('x', 2), array_set(b.keywords, 1, 'a') from Book b where b.id = 5"));
        step("array aggregate", () -> hql(f, "select array_agg(b.title) within group (order by b.id), listagg(b.title, ',') within group (order by b.id desc) from Book b where b.id < 4"));
        step("unnest", () -> hql(f, "select b.id, k, index(k) from Book b join lateral unnest(b.keywords) k where b.id < 3 order by 1, 3"));
        step("generate_series", () -> hql(f, "select g from generate_series(1, 5, 2) g"));
        step("member", () -> hql(f, "select b.title from Book b where 'y7' member of b.author.nicks or exists (select t from b.tags t where t.word = 'classic') and b.id < 4 order by 1"));
        step("in list", () -> in(f, s -> list(s.createQuery("select b.id from Book b where b.genre in :g and b.id in :ids order by b.id", Object.class).setParameter("g", List.of(Genre.NOVEL, Genre.PLAYS)).setParameter("ids", List.of(1, 2, 3, 4, 5, 6)))));
        step("tuples", () -> hql(f, "select b.id from Book b where (b.title, b.genre) in (select c.title, c.genre from Book c where c.id < 3) or (b.id, b.pages) = (7, 3) order by 1"));
        step("like", () -> hql(f, "select count(*) from Book b where b.title like 'book %.1' escape '!' and b.title ilike 'BOOK%' and b.title not like '%z'"));
        step("json", () -> in(f, s -> list(s.createNativeQuery("select details->>'k', details @> '{\"k\": \"v3\"}' from hb_book where id = 5", Object.class))));
        step("set operations", () -> hql(f, "(select b.title from Book b where b.id = 1 union select b.title from Book b where b.id = 2) except select b.title from Book b where b.id = 2"));
        step("update by query", () -> in(f, s -> s.createMutationQuery("update Book b set b.price = b.price + 1, b.title = concat(b.title, '+') where b.author.address.city = 'Rome' and b.id < 10").executeUpdate()));
        step("update versioned", () -> in(f, s -> s.createMutationQuery("update versioned Author set name = upper(name) where id < 4").executeUpdate()));
        step("insert by query", () -> in(f, s -> s.createMutationQuery("insert into Beast (name) select a.name from Author a where a.id < 4").executeUpdate()));
        step("insert values, on conflict", () -> in(f, s -> s.createMutationQuery("insert into Tag (id, word) values (?1, 'classic') on conflict (word) do nothing").setParameter(1, new UUID(3, 1)).executeUpdate()));
        step("insert, on conflict update", () -> in(f, s -> s.createMutationQuery("insert into Tag (id, word) values (?1, 'classic') on conflict (word) do update set word = 'Classic' where word <> 'none'").setParameter(1, new UUID(3, 2)).executeUpdate()));
        step("joined inheritance", () -> in(f, s -> { var d = new Disc(); d.label = "d"; d.tracks = 9; s.persist(d); var m = new Chart(); m.label = "m"; m.scale = .5; m.parent = d; s.persist(m); s.flush(); s.clear(); return list(s.createQuery("select type(i), i.label, i.parent.label, treat(i as Disc).tracks from Item i order by i.id", Object.class)); }));
        step("update joined by query", () -> in(f, s -> s.createMutationQuery("update Disc set label = 'dd', tracks = tracks + 1").executeUpdate()));
        step("delete joined by query", () -> in(f, s -> s.createMutationQuery("delete from Map where scale < 1").executeUpdate()));
        step("single table", () -> in(f, s -> { var d = new Dog(); d.name = "rex"; d.barks = 3; s.persist(d); var c = new Cat(); c.name = "tom"; c.purrs = true; s.persist(c); s.flush(); s.remove(d); s.flush(); return list(s.createQuery("select b.name, type(b) from Beast b order by b.name", Object.class)); }));
        step("unique violation", () -> { try { return in(f, s -> { s.persist(new Author("other", "a1@x")); s.flush(); return "none"; }); } catch (org.hibernate.exception.ConstraintViolationException e) { return e.getConstraintName() + " " + e.getKind() + " " + e.getSQLState(); } });
        step("not null violation", () -> { try { return in(f, s -> { s.createNativeMutationQuery("insert into hb_author (id, version) values (900, 0)").executeUpdate(); return "none"; }); } catch (org.hibernate.exception.ConstraintViolationException e) { return e.getConstraintName() + " " + e.getKind(); } });
        step("check of an enum", () -> { try { return in(f, s -> s.createNativeMutationQuery("update hb_book set genre = 'SONGS' where id = 1").executeUpdate()); } catch (org.hibernate.exception.ConstraintViolationException e) { return e.getConstraintName() + " " + e.getKind(); } });
        step("stale", () -> {
            var a = in(f, s -> s.find(Author.class, 5L));
            in(f, s -> { s.find(Author.class, 5L).name = "newer"; return 0; });
            a.name = "older";
            try { in(f, s -> s.merge(a)); return "none"; } catch (OptimisticLockException | StaleStateException e) { return e.getClass().getSimpleName(); }
        });
        for (var mode : List.of(LockModeType.PESSIMISTIC_WRITE, LockModeType.PESSIMISTIC_READ, LockModeType.PESSIMISTIC_FORCE_INCREMENT, LockModeType.OPTIMISTIC, LockModeType.OPTIMISTIC_FORCE_INCREMENT))
            step("lock " + mode, () -> in(f, s -> { var a = s.find(Author.class, 6L, mode); return a.name + s.getCurrentLockMode(a); }));
        step("lock nowait", () -> in(f, one -> {
            one.find(Author.class, 7L, LockModeType.PESSIMISTIC_WRITE);
            var told = new StringJoiner(" ");
            for (int timeout : new int[] {0, -2, 300})
                try { told.add(in(f, two -> list(two.createQuery("select a from Author a where a.id in (7, 8)", Author.class).setLockMode(LockModeType.PESSIMISTIC_WRITE).setHint("jakarta.persistence.lock.timeout", timeout)).toString().replaceAll("@\\w+", ""))); } catch (Exception e) { told.add(e.getClass().getSimpleName() + " " + told(e)); }
            return told;
        }));
        step("lock with joins", () -> in(f, s -> s.createQuery("select b from Book b join fetch b.author where b.id < 4", Book.class).setLockMode(LockModeType.PESSIMISTIC_WRITE).getResultList().size()));
        step("lock and page", () -> in(f, s -> s.createQuery("select b from Book b order by b.id", Book.class).setLockMode(LockModeType.PESSIMISTIC_WRITE).setFirstResult(2).setMaxResults(3).getResultList().size()));
        step("lock, an outer join", () -> in(f, s -> s.createQuery("select b from Book b left join fetch b.tags where b.id < 4", Book.class).setLockMode(LockModeType.PESSIMISTIC_WRITE).getResultList().size()));
        step("scroll", () -> in(f, s -> { int n = 0; try (var r = s.createQuery("from Book order by id", Book.class).setFetchSize(7).scroll(ScrollMode.FORWARD_ONLY)) { while (r.next()) n++; } return n; }));
        step("scroll both ways", () -> in(f, s -> { try (var r = s.createQuery("from Book order by id", Book.class).scroll(ScrollMode.SCROLL_INSENSITIVE)) { r.last(); int last = r.getPosition(); r.first(); return last + r.get().title; } }));
        step("stream", () -> in(f, s -> s.createQuery("select title from Book", String.class).setFetchSize(10).getResultStream().filter(t -> t.endsWith("1")).count()));
        step("natural id", () -> in(f, s -> s.bySimpleNaturalId(Tag.class).load("Classic") != null));
        step("multi load", () -> in(f, s -> s.findMultiple(Author.class, List.of(1L, 2L, 3L, 999L)).size()));
        step("criteria", () -> in(f, s -> { var b = s.getCriteriaBuilder(); var q = b.createQuery(Object[].class); var r = q.from(Book.class); q.multiselect(r.get("genre"), b.count(r), b.sum(r.get("price"))).where(b.like(r.get("title"), "book%"), b.greaterThan(r.get("price"), new BigDecimal(3))).groupBy(r.get("genre")).orderBy(b.asc(r.get("genre"))); return list(s.createQuery(q)); }));
        step("pages by key", () -> in(f, s -> s.createSelectionQuery("from Book", Book.class).getKeyedResultList(org.hibernate.query.Page.first(4).keyedBy(org.hibernate.query.Order.asc(Book.class, "id"))).getNextPage() != null));
        step("count of results", () -> in(f, s -> s.createSelectionQuery("from Book b join fetch b.author where b.price > 3", Book.class).getResultCount()));
        step("replace a collection", () -> in(f, s -> { var a = s.find(Author.class, 3L); a.nicks.clear(); a.nicks.add("only"); a.books.remove(0); s.flush(); s.refresh(a); return a.nicks + " " + a.books.size(); }));
        step("cascade remove", () -> in(f, s -> { s.remove(s.find(Author.class, 9L)); s.flush(); return list(s.createQuery("select count(*) from Book", Object.class)); }));
        step("delete by query", () -> in(f, s -> s.createMutationQuery("delete from Book b where b.price > 20 and b.tags is empty").executeUpdate()));
        step("savepoint", () -> in(f, s -> { s.doWork(c -> { var p = c.setSavepoint(); try { update(c, "insert into hb_author (id, version, name, email, created) values (901, 0, 'x', 'a2@x', now())"); } catch (java.sql.SQLException e) { c.rollback(p); } update(c, "insert into hb_author (id, version, name, created) values (902, 0, 'y', now())"); }); return list(s.createQuery("select count(*) from Author where id > 900", Object.class)); }));
        step("stateless", () -> { try (var s = f.openStatelessSession()) { var t = s.beginTransaction(); for (int n = 0; n < 50; n++) s.insert(new Tag("t" + n)); var a = s.get(Author.class, 2L); a.name = "stateless"; s.update(a); var g = new Tag("merged"); g.id = new UUID(7, 7); s.upsert(g); g.word = "merged again"; s.upsert(g); t.commit(); return list(s.createQuery("select count(*), min(word) from Tag", Object.class)); } });
        step("native, with entities", () -> in(f, s -> s.createNativeQuery("select {a.*}, {b.*} from hb_author a join hb_book b on b.author_id = a.id where a.id = 4 order by b.id", Object.class).addEntity("a", Author.class).addJoin("b", "a.books").getResultList().size()));
        step("read only", () -> in(f, s -> { s.setDefaultReadOnly(true); return s.find(Author.class, 1L).name; }));
        step("timeout", () -> in(f, s -> list(s.createQuery("select count(*) from Book a, Book b", Object.class).setTimeout(5))));
    }
}
