module loadctl.example/bypass

go 1.22
