/** An application by its name, at a port: java Main PORT NAME. */
final class Main {
    public static void main(String[] arguments) throws Throwable {
        java.util.TimeZone.setDefault(java.util.TimeZone.getTimeZone("UTC"));
        String url = "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/" + (arguments.length > 2 ? arguments[2] : "quorate");
        switch (arguments[1]) {
            case "pgjdbc" -> Pgjdbc.run(url);
            case "hibernate" -> Hibernates.run(url);
            case "flyway" -> Migrations.flyway(url);
            case "liquibase" -> Migrations.liquibase(url);
            default -> throw new IllegalArgumentException(arguments[1]);
        }
    }
}
