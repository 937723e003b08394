from p2pchat.cli import main

main()
