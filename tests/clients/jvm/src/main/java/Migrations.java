import java.io.StringWriter;
import java.nio.file.*;
import java.sql.Connection;
import java.util.*;
import liquibase.*;
import liquibase.command.CommandScope;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;

/** The two tools that keep a schema's history in a table. */
final class Migrations extends Steps {
    static void flyway(String url) throws Throwable {
        var directory = Files.createTempDirectory("flyway");
        write(directory, "V1__start.sql", "CREATE TABLE fw_user (id serial PRIMARY KEY, name text NOT NULL UNIQUE);\nCREATE TYPE fw_mood AS ENUM ('a', 'b');\nINSERT INTO fw_user (name) VALUES ('${who}');\n");
        write(directory, "V2__more.sql", "ALTER TABLE fw_user ADD COLUMN mood fw_mood DEFAULT 'a';\nCREATE INDEX fw_user_mood ON fw_user (mood);\nCREATE VIEW fw_moods AS SELECT mood, count(*) FROM fw_user GROUP BY mood;\nCREATE SEQUENCE fw_seq START 5;\n"
            + "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_tables WHERE tablename = 'fw_none') THEN CREATE TABLE fw_none (a int); END IF; END $$;\nCOPY fw_none FROM STDIN;\n1\n2\n\\.\n");
        write(directory, "V2.1__concurrently.sql", "CREATE INDEX CONCURRENTLY fw_user_name ON fw_user (lower(name));\n");
        write(directory, "R__view.sql", "CREATE OR REPLACE VIEW fw_names AS SELECT name FROM fw_user ORDER BY name;\n");
        var c = Pgjdbc.connect(url);
        try (var s = c.createStatement()) { s.execute("DROP SCHEMA IF EXISTS fw CASCADE"); }
        FluentConfiguration configured = Flyway.configure().dataSource(url, "quorate", "").schemas("fw").locations("filesystem:" + directory).placeholders(Map.of("who", "first")).cleanDisabled(false);
        // With it CREATE INDEX CONCURRENTLY would wait for Flyway itself, which holds its lock in another transaction.
        configured.getConfigurationExtension(PostgreSQLConfigurationExtension.class).setTransactionalLock(false);
        step("info", () -> configured.load().info().all().length);
        step("migrate", () -> { var r = configured.load().migrate(); return r.success + " " + r.migrationsExecuted + " " + r.targetSchemaVersion; });
        step("nothing to do", () -> configured.load().migrate().migrationsExecuted);
        step("validate", () -> { configured.load().validate(); return "valid"; });
        step("history", () -> query(c, "SELECT installed_rank, version, description, type, script, installed_by, success FROM fw.flyway_schema_history ORDER BY 1"));
        write(directory, "V3__wrong.sql", "CREATE TABLE fw_half (a int);\nINSERT INTO fw_user (name) VALUES ('first');\n");
        step("one that fails", () -> { try { return configured.load().migrate().migrationsExecuted; } catch (Exception e) { return told(e.getCause() == null ? e : e.getCause()); } });
        step("nothing is left of it", () -> query(c, "SELECT to_regclass('fw.fw_half')"));
        write(directory, "V3__wrong.sql", "INSERT INTO fw_user (name) VALUES ('second');\n");
        step("mended", () -> configured.load().migrate().migrationsExecuted);
        write(directory, "V1__start.sql", "CREATE TABLE fw_user (id serial PRIMARY KEY, name text NOT NULL UNIQUE);\nCREATE TYPE fw_mood AS ENUM ('a', 'b');\n");
        step("changed afterwards", () -> configured.load().validateWithResult().invalidMigrations.size());
        step("repair", () -> configured.load().repair().migrationsAligned.size());
        step("valid again", () -> configured.load().validateWithResult().validationSuccessful);
        write(directory, "R__view.sql", "CREATE OR REPLACE VIEW fw_names AS SELECT name, id FROM fw_user ORDER BY name;\n");
        step("repeatable again", () -> configured.load().migrate().migrationsExecuted + query(c, "SELECT name FROM fw.fw_names"));
        write(directory, "V4__later.sql", "CREATE TABLE fw_later (a int REFERENCES fw_user);\nCREATE MATERIALIZED VIEW fw_mat AS SELECT * FROM fw_user;\nCREATE DOMAIN fw_dom AS int CHECK (VALUE > 0);\n");
        step("two at once", () -> {
            var told = Collections.synchronizedList(new ArrayList<String>());
            var threads = new ArrayList<Thread>();
            for (int n = 0; n < 2; n++) { var t = new Thread(() -> { try { told.add("" + configured.load().migrate().migrationsExecuted); } catch (Exception e) { told.add(told(e)); } }); t.start(); threads.add(t); }
            for (var t : threads) t.join();
            Collections.sort(told);
            return told;
        });
        step("with the transaction's lock", () -> { write(directory, "V5__.sql", "SELECT 1;\n"); var other = Flyway.configure().configuration(configured); other.getConfigurationExtension(PostgreSQLConfigurationExtension.class).setTransactionalLock(true); return other.load().migrate().migrationsExecuted; });
        step("group", () -> { write(directory, "V6__a.sql", "CREATE TABLE fw_6 (a int);\n"); write(directory, "V7__b.sql", "ALTER TABLE fw_6 ADD b int;\n"); return Flyway.configure().configuration(configured).group(true).mixed(true).load().migrate().migrationsExecuted; });
        step("clean", () -> configured.load().clean().schemasCleaned + query(c, "SELECT count(*) FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'fw')") + query(c, "SELECT count(*) FROM pg_type WHERE typname IN ('fw_mood', 'fw_dom')"));
        step("again after clean", () -> { Files.delete(directory.resolve("V2.1__concurrently.sql")); return configured.load().migrate().migrationsExecuted; });
        step("baseline", () -> { try (var s = c.createStatement()) { s.execute("DROP TABLE fw.flyway_schema_history"); } return Flyway.configure().configuration(configured).baselineOnMigrate(true).baselineVersion("7").load().migrate().migrationsExecuted; });
        configured.load().clean();
    }

    static void write(Path directory, String name, String text) throws Exception { Files.writeString(directory.resolve(name), text); }

    static final String CHANGES = """
        databaseChangeLog:
          - changeSet:
              id: 1
              author: q
              changes:
                - createTable:
                    tableName: lq_person
                    remarks: people
                    columns:
                      - column: {name: id, type: int, autoIncrement: true, constraints: {primaryKey: true, primaryKeyName: lq_person_pk, nullable: false}}
                      - column: {name: name, type: varchar(50), remarks: whole, constraints: {nullable: false, unique: true, uniqueConstraintName: lq_person_name}}
                      - column: {name: born, type: date}
                      - column: {name: active, type: boolean, defaultValueBoolean: true}
                      - column: {name: at, type: timestamp with time zone, defaultValueComputed: CURRENT_TIMESTAMP}
                      - column: {name: money, type: "decimal(10, 2)", defaultValueNumeric: 1.5}
                      - column: {name: data, type: jsonb}
                      - column: {name: notes, type: clob}
                      - column: {name: raw, type: blob}
                      - column: {name: uid, type: uuid, defaultValueComputed: gen_random_uuid()}
                      - column: {name: tags, type: "text[]"}
                      - column: {name: big, type: bigint, defaultValue: "7"}
                - createTable:
                    tableName: lq_pet
                    columns:
                      - column: {name: id, type: bigint, autoIncrement: true, generationType: ALWAYS, startWith: 100, incrementBy: 10, constraints: {primaryKey: true}}
                      - column: {name: person_id, type: int, constraints: {nullable: false, foreignKeyName: lq_pet_person, references: lq_person(id), deleteCascade: true}}
                      - column: {name: name, type: varchar(20)}
          - changeSet:
              id: 2
              author: q
              changes:
                - createIndex: {indexName: lq_pet_name, tableName: lq_pet, columns: [{column: {name: name, descending: true}}, {column: {name: person_id}}]}
                - addColumn: {tableName: lq_pet, columns: [{column: {name: kind, type: varchar(10), defaultValue: dog, valueComputed: "upper(name)"}}]}
                - addNotNullConstraint: {tableName: lq_pet, columnName: name, columnDataType: varchar(20), defaultNullValue: none}
                - addUniqueConstraint: {tableName: lq_pet, columnNames: "person_id, name", constraintName: lq_pet_once, deferrable: true}
                - createSequence: {sequenceName: lq_seq, startValue: 10, incrementBy: 2, minValue: 1, maxValue: 1000, cycle: true}
                - createView: {viewName: lq_view, selectQuery: "SELECT p.name, count(t.id) AS pets FROM lq_person p LEFT JOIN lq_pet t ON t.person_id = p.id GROUP BY p.name"}
                - insert: {tableName: lq_person, columns: [{column: {name: name, value: Ann}}, {column: {name: born, valueDate: "2000-01-02"}}, {column: {name: active, valueBoolean: false}}]}
                - loadData: {tableName: lq_pet, file: pets.csv, columns: [{column: {name: person_id, type: NUMERIC}}, {column: {name: name, type: STRING}}]}
                - update: {tableName: lq_person, columns: [{column: {name: money, valueNumeric: 2.5}}], where: "name = 'Ann'"}
                - tagDatabase: {tag: one}
          - changeSet:
              id: 3
              author: q
              preConditions:
                - onFail: MARK_RAN
                - tableExists: {tableName: lq_pet}
                - not: [{columnExists: {tableName: lq_pet, columnName: nothing}}]
                - indexExists: {indexName: lq_pet_name}
                - foreignKeyConstraintExists: {foreignKeyTableName: lq_pet, foreignKeyName: lq_pet_person}
                - primaryKeyExists: {tableName: lq_person, primaryKeyName: lq_person_pk}
                - sequenceExists: {sequenceName: lq_seq}
                - viewExists: {viewName: lq_view}
                - uniqueConstraintExists: {tableName: lq_person, constraintName: lq_person_name}
                - sqlCheck: {expectedResult: 1, sql: "SELECT count(*) FROM lq_person"}
              changes:
                - renameColumn: {tableName: lq_pet, oldColumnName: kind, newColumnName: sort}
                - renameTable: {oldTableName: lq_pet, newTableName: lq_animal}
                - modifyDataType: {tableName: lq_animal, columnName: sort, newDataType: varchar(30)}
                - dropDefaultValue: {tableName: lq_animal, columnName: sort}
                - addDefaultValue: {tableName: lq_person, columnName: born, defaultValueDate: "1999-01-01"}
                - addLookupTable: {existingTableName: lq_animal, existingColumnName: sort, newTableName: lq_sort, newColumnName: sort, constraintName: lq_animal_sort}
                - setColumnRemarks: {tableName: lq_person, columnName: born, remarks: birthday}
                - setTableRemarks: {tableName: lq_sort, remarks: sorts}
                - renameSequence: {oldSequenceName: lq_seq, newSequenceName: lq_seq2}
                - alterSequence: {sequenceName: lq_seq2, incrementBy: 3}
                - renameView: {oldViewName: lq_view, newViewName: lq_view2}
              rollback:
                - sql: SELECT 1
          - changeSet:
              id: 4
              author: q
              runInTransaction: false
              changes:
                - sql: {splitStatements: true, sql: "CREATE INDEX CONCURRENTLY lq_lower ON lq_person (lower(name)); DROP INDEX CONCURRENTLY lq_lower"}
              rollback: []
          - changeSet:
              id: 5
              author: q
              changes:
                - createTable: {tableName: lq_last, columns: [{column: {name: id, type: int}}]}
                - mergeColumns: {tableName: lq_animal, column1Name: name, column2Name: sort, joinString: "-", finalColumnName: full_name, finalColumnType: varchar(60)}
              rollback:
                - dropTable: {tableName: lq_last}
        """;

    static Liquibase liquibase(Connection c, Path directory) throws Exception {
        var database = DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(c));
        database.setDefaultSchemaName("lq");
        return new Liquibase("changes.yaml", new DirectoryResourceAccessor(directory), database);
    }

    static void liquibase(String url) throws Throwable {
        java.util.logging.LogManager.getLogManager().reset();
        var directory = Files.createTempDirectory("liquibase");
        write(directory, "changes.yaml", CHANGES);
        write(directory, "pets.csv", "person_id,name\n1,Rex\n1,Tom\n");
        String at = url + "?currentSchema=lq";
        var c = Pgjdbc.connect(at);
        try (var s = c.createStatement()) { s.execute("DROP SCHEMA IF EXISTS lq CASCADE; CREATE SCHEMA lq; DROP SCHEMA IF EXISTS lq2 CASCADE; CREATE SCHEMA lq2"); }
        Scope.child(Map.of(Scope.Attr.ui.name(), new liquibase.ui.LoggerUIService()), () -> {
            step("update", () -> { liquibase(Pgjdbc.connect(at), directory).update(""); return query(c, "SELECT id, author, exectype, orderexecuted, tag FROM lq.databasechangelog ORDER BY orderexecuted"); });
            step("nothing to do", () -> liquibase(Pgjdbc.connect(at), directory).listUnrunChangeSets(new Contexts(), new LabelExpression()).size());
            step("update again", () -> { liquibase(Pgjdbc.connect(at), directory).update(""); return "done"; });
            step("lock", () -> query(c, "SELECT id, locked FROM lq.databasechangeloglock"));
            step("data", () -> query(c, "SELECT * FROM lq_view2") + " / " + query(c, "SELECT id, full_name FROM lq_animal ORDER BY id"));
            step("locked by somebody else", () -> {
                var l = liquibase(Pgjdbc.connect(at), directory);
                var service = liquibase.lockservice.LockServiceFactory.getInstance().getLockService(l.getDatabase());
                service.acquireLock();
                boolean other = liquibase.lockservice.LockServiceFactory.getInstance().getLockService(liquibase(Pgjdbc.connect(at), directory).getDatabase()).acquireLock();
                int listed = l.listLocks().length;
                l.forceReleaseLocks();
                return other + " " + listed;
            });
            step("generated", () -> {
                var file = directory.resolve("generated.yaml");
                new CommandScope("generateChangelog").addArgumentValue("url", at).addArgumentValue("username", "quorate").addArgumentValue("changelogFile", file.toString()).addArgumentValue("author", "g").addArgumentValue("diffTypes", "tables,columns,indexes,foreignkeys,primarykeys,uniqueconstraints,sequences,data").setOutput(java.io.OutputStream.nullOutputStream()).execute();
                return "\n" + Files.readString(file).replaceAll("id: \\d+-(\\d+)", "id: $1").replaceAll("valueComputed: .*|valueDate: \"?20\\d\\d-\\d\\d-\\d\\dT.*|value: [0-9a-f-]{36}", "value: once");
            });
            step("snapshot", () -> {
                var out = new java.io.ByteArrayOutputStream();
                new CommandScope("snapshot").addArgumentValue("url", at).addArgumentValue("username", "quorate").setOutput(out).execute();
                return out.toString().lines().filter(l -> !l.matches(".*(Snapshot|Database|Postgre|Time).*")).map(String::strip).filter(l -> !l.isEmpty()).count() > 50;
            });
            step("generated changes make the same", () -> {
                write(directory, "changes.yaml", Files.readString(directory.resolve("generated.yaml")));
                var d = Pgjdbc.connect(url + "?currentSchema=lq2");
                var database = DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(d));
                database.setDefaultSchemaName("lq2");
                new Liquibase("changes.yaml", new DirectoryResourceAccessor(directory), database).update("");
                write(directory, "changes.yaml", CHANGES);
                return "done";
            });
            step("diff", () -> {
                var out = new java.io.ByteArrayOutputStream();
                new CommandScope("diff").addArgumentValue("url", url + "?currentSchema=lq2").addArgumentValue("username", "quorate").addArgumentValue("referenceUrl", at).addArgumentValue("referenceUsername", "quorate").setOutput(out).execute();
                return "\n" + out.toString().lines().filter(l -> !l.matches(".*(Reference Database|Comparison Database|Product Version|Compared Schemas).*")).reduce("", (a, b) -> a + b + "\n");
            });
            step("rolled back", () -> { liquibase(Pgjdbc.connect(at), directory).rollback(1, ""); return query(c, "SELECT to_regclass('lq.lq_last')"); });
            step("sql of the rest", () -> { var w = new StringWriter(); liquibase(Pgjdbc.connect(at), directory).update("", w); return w.toString().contains("CREATE TABLE lq.lq_last"); });
            step("validate", () -> { liquibase(Pgjdbc.connect(at), directory).validate(); return "valid"; });
            step("checksums cleared", () -> { liquibase(Pgjdbc.connect(at), directory).clearCheckSums(); return query(c, "SELECT count(*) FROM databasechangelog WHERE md5sum IS NULL"); });
            step("dropped", () -> { liquibase(Pgjdbc.connect(at), directory).dropAll(); return query(c, "SELECT relname FROM pg_class WHERE relnamespace = 'lq'::regnamespace ORDER BY 1"); });
        });
    }
}
