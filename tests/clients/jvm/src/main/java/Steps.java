import java.sql.*;
import java.util.*;

/** Steps of an application: each prints what it saw, or the error that it met, and the next one goes on. */
class Steps {
    interface Step { Object run() throws Throwable; }

    static void step(String name, Step step) {
        String said;
        try { said = String.valueOf(step.run()); } catch (Throwable error) { said = told(error); }
        System.out.println(name + ": " + said);
    }

    /** An error as a program tells one from another: by its class, SQLSTATE and constraint. */
    static String told(Throwable error) {
        for (Throwable at = error; at != null; at = at.getCause())
            if (at instanceof org.postgresql.util.PSQLException sql) {
                var message = sql.getServerErrorMessage();
                String constraint = message == null ? null : message.getConstraint();
                String first = String.valueOf(sql.getMessage()).lines().findFirst().orElse("");
                return error.getClass().getSimpleName() + " " + sql.getSQLState() + (constraint == null ? "" : " " + constraint) + " " + first;
            }
        return error.toString().lines().findFirst().orElse("") + (System.getenv("TRACE") == null ? "" : trace(error));
    }

    private static String trace(Throwable error) {
        var text = new java.io.StringWriter();
        error.printStackTrace(new java.io.PrintWriter(text));
        return "\n" + text;
    }

    static String rows(ResultSet rows, String... columns) throws SQLException {
        var out = new StringJoiner(" | ");
        while (rows.next()) {
            var row = new StringJoiner(",");
            if (columns.length > 0) for (String column : columns) row.add(String.valueOf(rows.getObject(column)));
            else for (int n = 1; n <= rows.getMetaData().getColumnCount(); n++) row.add(String.valueOf(rows.getObject(n)));
            out.add(row.toString());
        }
        rows.close();
        return out.toString();
    }

    static String query(Connection connection, String sql, Object... values) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (int n = 0; n < values.length; n++) statement.setObject(n + 1, values[n]);
            return rows(statement.executeQuery());
        }
    }

    static int update(Connection connection, String sql, Object... values) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (int n = 0; n < values.length; n++) statement.setObject(n + 1, values[n]);
            return statement.executeUpdate();
        }
    }
}
