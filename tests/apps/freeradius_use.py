"""Logins and sessions by radclient: freeradius_use.py PORT ACCOUNTING-PORT"""
import subprocess, sys

port, accounting = sys.argv[1:]


def radclient(port, kind, **attributes):
    text = ",".join(f'{name.replace("_", "-")}={value}' for name, value in attributes.items())
    # One try, long: a request that is sent again is another login to whoever counts them.
    said = subprocess.run(["radclient", "-x", "-r", "1", "-t", "30", f"127.0.0.1:{port}", kind, "testing123"], input=text, capture_output=True, text=True)
    return said.stdout


for n in range(20):
    user = n % 10
    accepted = radclient(port, "auth", User_Name=f"user{user}", User_Password=f"pw{user}", NAS_Port=n)
    assert "Access-Accept" in accepted and f"Framed-IP-Address = 10.0.0.{user}" in accepted and "Session-Timeout = 3600" in accepted, accepted
    assert "Access-Reject" in radclient(port, "auth", User_Name=f"user{user}", User_Password="other", NAS_Port=n)
    session = dict(User_Name=f"user{user}", Acct_Session_Id=f"session{n:04}", NAS_IP_Address="127.0.0.1", NAS_Port=n, Framed_IP_Address=f"10.0.0.{user}",
                   Acct_Unique_Session_Id=f"u{n:04}")
    for status, seconds in (("Start", 0), ("Interim-Update", 300), ("Stop", 600)):
        answer = radclient(accounting, "acct", **session, Acct_Status_Type=status, Acct_Session_Time=seconds, Acct_Input_Octets=seconds // 3 * 10,
                           Acct_Terminate_Cause="User-Request")
        assert "Accounting-Response" in answer, answer
    print(f"round {n}", flush=True)
print(f"{n + 1} sessions of 10 people, all accounted for")
