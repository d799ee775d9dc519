// pgjdbc with all hosts in one string, for a while: connects anew when a connection is lost.
//
//   javac -d . scripts/drivers/Work.java && java -cp .:postgresql.jar Work URL SECONDS
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;

public class Work {
    public static void main(String[] args) throws Exception {
        long end = System.currentTimeMillis() + (long) (Double.parseDouble(args[1]) * 1000);
        long last = System.currentTimeMillis(), pause = 0;
        int n = 0, lost = 0;
        Connection db = null;
        while (System.currentTimeMillis() < end) {
            try {
                if (db == null) {
                    db = DriverManager.getConnection(args[0]);
                }
                try (PreparedStatement insert = db.prepareStatement("INSERT INTO through VALUES ('pgjdbc', ?)")) {
                    insert.setInt(1, n);
                    insert.executeUpdate();
                }
                n++;
                pause = Math.max(pause, System.currentTimeMillis() - last);
                last = System.currentTimeMillis();
            } catch (SQLException e) {
                lost++;
                if (db != null && !db.isValid(1)) {
                    db = null;
                }
                Thread.sleep(20);
            }
        }
        System.out.printf("pgjdbc: %d writes acknowledged, %d attempts failed meanwhile, longest pause %d ms%n", n, lost, pause);
        System.exit(n > 0 && pause < 15000 ? 0 : 1);
    }
}
